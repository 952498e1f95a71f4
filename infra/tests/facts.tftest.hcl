# What must be true of every stage, whatever its variables say. The documents of policies are tested on a real plan (test/infra).

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

run "defaults" {
  # Applied: names that are only known then are part of what is tested. Nothing is called.
  command = apply

  assert {
    condition     = alltrue([for name in values(output.buckets) : startswith(name, "eventpulse-test-")])
    error_message = "Every bucket's name starts with the application and the stage."
  }
  assert {
    condition     = toset(keys(output.buckets)) == toset(["raw", "processed", "quarantine", "curated", "reports", "logs"])
    error_message = "The buckets are those of the design."
  }
  assert {
    condition     = alltrue([for name in ["raw", "processed"] : local.bucket_lifecycles[name].expire == 7])
    error_message = "Raw and processed objects are kept 7 days by default."
  }
  assert {
    condition = alltrue([
      for name in ["curated", "reports", "quarantine"] :
      toset(keys(local.bucket_lifecycles[name].transitions)) == toset(["STANDARD_IA", "GLACIER_IR"])
    ])
    error_message = "What is kept gets cheaper with age."
  }
  assert {
    condition     = aws_dynamodb_table.this.deletion_protection_enabled && aws_secretsmanager_secret.this.recovery_window_in_days == 30
    error_message = "By default destroy deletes no data."
  }
  assert {
    condition     = aws_dynamodb_table.this.ttl[0].attribute_name == "ttl" && aws_dynamodb_table.this.point_in_time_recovery[0].enabled && aws_dynamodb_table.this.server_side_encryption[0].enabled && aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
    error_message = "The table expires items, can be restored, is encrypted and costs nothing without traffic."
  }
  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key rotates."
  }
  assert {
    condition     = alltrue([for queue in concat(values(aws_sqs_queue.this), values(aws_sqs_queue.dead), [aws_sqs_queue.undelivered]) : queue.kms_master_key_id == aws_kms_key.this.arn])
    error_message = "Every queue is encrypted with the key."
  }
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.this : queue.visibility_timeout_seconds >= 6 * aws_lambda_function.this["process"].timeout && jsondecode(queue.redrive_policy).maxReceiveCount == 5])
    error_message = "A message is hidden 6 times as long as its function may take, and dead after 5 tries."
  }
  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.runtime == "nodejs22.x" && tolist(function.architectures) == tolist(["arm64"]) && function.tracing_config[0].mode == "Active"])
    error_message = "Functions are Node 22 on arm64, traced."
  }
  assert {
    condition     = length(aws_cloudwatch_log_group.function) == 5 && alltrue([for group in aws_cloudwatch_log_group.function : group.retention_in_days == 30])
    error_message = "Every function has a log group that forgets."
  }
  assert {
    condition     = length(distinct([for role in aws_iam_role.function : role.name])) == 5
    error_message = "Every function has a role of its own."
  }
  assert {
    condition     = alltrue([for mapping in aws_lambda_event_source_mapping.this : contains(mapping.function_response_types, "ReportBatchItemFailures")]) && length(aws_lambda_event_source_mapping.this) == 4
    error_message = "All four queues call their function, and a message that fails fails alone."
  }
  assert {
    condition     = { for name, mapping in aws_lambda_event_source_mapping.this : name => mapping.batch_size } == { raw = 10, work = 10, raw-dead = 1, work-dead = 1 } && { for name, source in output.event_sources : name => source.batch_size } == { for name, mapping in aws_lambda_event_source_mapping.this : name => mapping.batch_size }
    error_message = "Messages come ten at once, dead ones one by one."
  }
  assert {
    condition     = output.function_permissions["dead-letters"].code == output.function_permissions["process"].code
    error_message = "Who tries a dead message once more may do what the first tries may."
  }
  assert {
    condition = alltrue(flatten([
      for name, permissions in output.function_permissions : [
        for statement in concat(permissions.code, permissions.runtime) : [for action in statement.actions : !strcontains(action, "*")]
      ]
    ]))
    error_message = "No function may do a family of actions."
  }
  assert {
    condition = alltrue(flatten([
      for name, permissions in output.function_permissions : [
        for statement in concat(permissions.code, permissions.runtime) : [for resource in statement.resources : resource != "*" || statement.sid == "tracing"]
      ]
    ]))
    error_message = "No function may act on everything; X-Ray alone has no resources to name."
  }
  assert {
    condition     = alltrue([for name in ["http", "process", "simulate", "dead-letters"] : !contains(flatten(output.function_permissions[name].code[*].actions), "sns:Publish")])
    error_message = "Only notify tells anybody."
  }
  assert {
    condition     = toset(flatten(output.function_permissions["simulate"].code[*].actions)) == toset(["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "s3:PutObject"])
    error_message = "The simulator can accept events and read nothing."
  }
  assert {
    condition = alltrue(flatten([
      for name, permissions in output.function_permissions : [for action in flatten(permissions.code[*].actions) : !contains(["s3:DeleteObject", "dynamodb:Scan"], action)]
    ]))
    error_message = "No function deletes objects or scans the table."
  }
  assert {
    condition     = length(aws_ses_email_identity.this) == 0 && !contains(flatten(output.function_permissions["notify"].code[*].actions), "ses:SendRawEmail")
    error_message = "Without a sender nobody may send mail."
  }
  assert {
    condition     = keys(aws_scheduler_schedule.this) == ["notify"]
    error_message = "The simulator runs only when asked for."
  }
  assert {
    condition = (
      length(aws_guardduty_detector.this) + length(aws_guardduty_malware_protection_plan.raw) + length(aws_vpc.this) + length(aws_vpc_endpoint.interface) +
      length(module.replica) + length(aws_codepipeline.this) + length(aws_api_gateway_api_key.this)
    ) == 0
    error_message = "What costs without traffic is off unless asked for."
  }
  assert {
    condition     = length(aws_cloudtrail.this) == 1 && length(aws_xray_sampling_rule.this) == 1 && length(aws_budgets_budget.this) == 1 && length(aws_cloudwatch_composite_alarm.this) == 1 && length(aws_cloudwatch_dashboard.this) == 1
    error_message = "The watching that a stage needs is on by default."
  }
  assert {
    condition     = aws_xray_sampling_rule.this[0].fixed_rate == 0.01 && aws_xray_sampling_rule.this[0].reservoir_size == 0
    error_message = "1 of 100 requests is traced."
  }
  assert {
    condition     = aws_api_gateway_method_settings.this.settings[0].throttling_rate_limit == 200 && !aws_api_gateway_method_settings.this.settings[0].data_trace_enabled
    error_message = "The API is throttled, and never logs what it carries."
  }
}

run "everything_on" {
  command = plan

  variables {
    destroyable               = true
    enable_simulator          = true
    enable_guardduty          = true
    enable_malware_protection = true
    enable_vpc                = true
    enable_replication        = true
    enable_pipeline           = true
    gateway_key_required      = true
    retention_days            = 3
    quarantine_days           = 1000
    mail_from                 = "events@example.com"
    alert_emails              = ["alerts@example.com"]
    failure_emails            = ["operations@example.com"]
    upload_origins            = ["https://app.example.com"]
    table_name                = "eventpulse-test-20260131"
    tenants                   = ["acme", "globex"]
    environment               = { HOOK_URL = "https://hooks.example.com" }
    reserved_concurrency      = { process = 50 }
    permissions_boundary_arn  = "arn:aws:iam::123456789012:policy/eventpulse-boundary-eu-central-1"
    pipeline                  = { repository = "example/events", state_bucket = "state", state_key = "key", lock_table = "lock" }
  }

  assert {
    condition = alltrue([
      for role in concat(values(aws_iam_role.function), values(aws_iam_role.build), aws_iam_role.pipeline, aws_iam_role.replication, aws_iam_role.malware_protection, aws_iam_role.gateway_logs, [aws_iam_role.scheduler]) :
      role.permissions_boundary == "arn:aws:iam::123456789012:policy/eventpulse-boundary-eu-central-1"
    ])
    error_message = "Every role is bounded where a boundary is given."
  }
  assert {
    condition     = aws_dynamodb_table.this.name == "eventpulse-test-20260131" && aws_lambda_function.this["http"].environment[0].variables["EVENTPULSE_TABLE"] == "eventpulse-test-20260131" && aws_cloudwatch_metric_alarm.this["table-throttles"].dimensions["TableName"] == "eventpulse-test-20260131"
    error_message = "A restored table is used by functions and watched by alarms."
  }
  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.environment[0].variables["HOOK_URL"] == "https://hooks.example.com" && function.environment[0].variables["EVENTPULSE_STAGE"] == "test"])
    error_message = "Every function has what the config reads besides what the product reads."
  }
  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.environment[0].variables["EVENTPULSE_TENANTS"] == "acme,globex"])
    error_message = "Every function knows the tenants of the stage."
  }
  assert {
    condition     = alltrue([for name in ["raw", "work"] : aws_lambda_event_source_mapping.this[name].scaling_config[0].maximum_concurrency >= 2]) && sum([for name in ["raw", "work"] : aws_lambda_event_source_mapping.this[name].scaling_config[0].maximum_concurrency]) <= 50
    error_message = "The queues of process do not ask for more than is reserved for it."
  }
  assert {
    condition     = keys(aws_scheduler_schedule.this) == ["notify", "simulate"] && aws_scheduler_schedule.this["simulate"].schedule_expression == "rate(5 minutes)"
    error_message = "The simulator runs every 5 minutes."
  }
  assert {
    condition     = alltrue([for name, function in aws_lambda_function.this : length(function.vpc_config) == (name == "notify" ? 0 : 1)])
    error_message = "All functions but the one that posts webhooks are in the private subnets."
  }
  assert {
    condition     = toset(keys(aws_s3_bucket_replication_configuration.this)) == toset(["raw", "quarantine", "curated"]) && keys(module.replica) == keys(aws_s3_bucket_replication_configuration.this)
    error_message = "What cannot be made again is copied."
  }
  assert {
    condition     = alltrue([for name in ["raw", "processed"] : local.bucket_lifecycles[name].expire == 3])
    error_message = "Retention is what retention_days says."
  }
  assert {
    condition     = local.bucket_lifecycles["quarantine"].expire == 1000
    error_message = "Payloads of failures are kept as quarantine_days says."
  }
  assert {
    condition     = !aws_dynamodb_table.this.deletion_protection_enabled && aws_secretsmanager_secret.this.recovery_window_in_days == 0
    error_message = "A destroyable stage can be destroyed at once."
  }
  assert {
    condition     = length(aws_sns_topic_subscription.this) == 2 && length(aws_api_gateway_usage_plan_key.this) == 1 && length(aws_s3_bucket_cors_configuration.raw) == 1
    error_message = "Addresses are subscribed, the gateway key belongs to the usage plan, pages may upload."
  }
  assert {
    condition     = [for stage in aws_codepipeline.this[0].stage : stage.name] == ["Source", "Test", "Plan", "Apply"]
    error_message = "The pipeline tests and plans before it applies."
  }
  assert {
    condition = { for setting in aws_codebuild_project.this["plan"].environment[0].environment_variable : setting.name => setting.value } == {
      STAGE                           = "test"
      STATE_BUCKET                    = "state"
      STATE_KEY                       = "key"
      LOCK_TABLE                      = "lock"
      STATE_REGION                    = "eu-central-1"
      ROLE_ARN                        = "arn:aws:iam::123456789012:role/eventpulse-plan-eu-central-1"
      EVENTPULSE_CONFIG               = "eventpulse.config.ts"
      TF_VAR_region                   = "eu-central-1"
      TF_VAR_pipeline                 = jsonencode(var.pipeline)
      TF_VAR_environment              = jsonencode({ HOOK_URL = "https://hooks.example.com" })
      TF_VAR_permissions_boundary_arn = "arn:aws:iam::123456789012:policy/eventpulse-boundary-eu-central-1"
    }
    error_message = "The pipeline plans with what it was deployed with, and so does not plan to remove itself."
  }
}
