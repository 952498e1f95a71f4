# Each variable refuses what it must not take. Many at once: a plan each would take minutes.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "replica"
  source = "./tests/mocks"
}

# Mocks know no ephemeral resources; none is made here, since generate_secret is off.
provider "aws" {
  alias                       = "ephemeral"
  region                      = "eu-central-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  stage           = "test"
  generate_secret = false
}

run "first_wrong_value" {
  command = plan

  variables {
    stage                    = "Test"
    region                   = "Frankfurt"
    tags                     = { for number in range(41) : "tag${number}" => "x" }
    tenants                  = ["Acme"]
    table_name               = "events"
    environment              = { hookUrl = "x" }
    lambda_dir               = "tests"
    public_url               = "https://events.example.com/"
    upload_origins           = ["*"]
    mail_from                = "Events <events@example.com>"
    alert_emails             = ["example.com"]
    failure_emails           = ["ops@example"]
    retention_days           = 0
    log_retention_days       = 10
    throttle                 = { rate = 0, burst = 10 }
    requests_per_day         = 0
    reserved_concurrency     = { other = 5 }
    raw_batch_window_seconds = 301
    vpc_cidr                 = "10.0.0.0"
    budget_usd_monthly       = 0
    permissions_boundary_arn = "eventpulse-boundary"
    pipeline                 = { repository = "https://github.com/a/b", state_bucket = "b", state_key = "k", lock_table = "t" }
    max_retries              = 26
  }

  expect_failures = [
    var.stage,
    var.region,
    var.tags,
    var.tenants,
    var.table_name,
    var.environment,
    var.lambda_dir,
    var.public_url,
    var.upload_origins,
    var.mail_from,
    var.alert_emails,
    var.failure_emails,
    var.retention_days,
    var.log_retention_days,
    var.throttle,
    var.requests_per_day,
    var.reserved_concurrency,
    var.raw_batch_window_seconds,
    var.vpc_cidr,
    var.budget_usd_monthly,
    var.permissions_boundary_arn,
    var.pipeline,
    var.max_retries,
  ]
}

run "second_wrong_value" {
  command = plan

  variables {
    stage                    = "averylongstage"
    replica_region           = "eu-central-1"
    enable_replication       = true
    tenants                  = ["acme", "acme"]
    environment              = { EVENTPULSE_TABLE = "x" }
    public_url               = "events.example.com"
    upload_origins           = ["https://app.example.com/path"]
    mail_from                = "a@b.com,c@d.com"
    retention_days           = 1.5
    throttle                 = { rate = 10, burst = 6000 }
    reserved_concurrency     = { http = 0 }
    raw_batch_window_seconds = -1
    vpc_cidr                 = "10.0.0.0/28"
    enable_pipeline          = true
    max_retries              = -1
  }

  expect_failures = [
    var.stage,
    var.replica_region,
    var.tenants,
    var.environment,
    var.public_url,
    var.upload_origins,
    var.mail_from,
    var.retention_days,
    var.throttle,
    var.reserved_concurrency,
    var.raw_batch_window_seconds,
    var.vpc_cidr,
    var.pipeline,
    var.max_retries,
  ]
}

run "third_wrong_value" {
  command = plan

  variables {
    stage                = "1st"
    reserved_concurrency = { process = 4 }
    retention_days       = 3651
    replica_region       = "Dublin"
    tenants              = ["default"]
    environment          = { NODE_OPTIONS = "--inspect" }
  }

  expect_failures = [
    var.stage,
    var.reserved_concurrency,
    var.retention_days,
    var.replica_region,
    var.tenants,
    var.environment,
  ]
}

run "payloads_before_raw_objects" {
  command = plan

  variables {
    retention_days = 400
  }

  expect_failures = [var.quarantine_days]
}

# Not with a wrong retention_days, which its check asks for.
run "payloads_that_end_while_they_move" {
  command = plan

  variables {
    quarantine_days = 90
  }

  expect_failures = [var.quarantine_days]
}
