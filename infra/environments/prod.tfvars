stage       = "prod"
destroyable = false

log_retention_days = 90
budget_usd_monthly = 100
throttle           = { rate = 1000, burst = 2000 }

# Needs a concurrency quota of at least 1,000: what new accounts have is less, ask for it or leave this out.
reserved_concurrency = {
  http         = 200
  process      = 100
  dead-letters = 5
  notify       = 2
}

# dev has set the account's role already. Where prod has an account of its own: true.
manage_gateway_logging_role = false
