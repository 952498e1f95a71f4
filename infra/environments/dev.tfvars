stage       = "dev"
destroyable = true

enable_simulator   = true
log_retention_days = 7
budget_usd_monthly = 10

# One mail a month less to pay for: the alarms of a stage that nobody waits for tell one by one.
enable_composite_alarm = false
