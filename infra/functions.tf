# The functions: one zip each, as `eventpulse build` writes them. Who may do what: permissions.tf.

locals {
  # Seconds and MB. API Gateway gives up after 29 s; CPU comes with memory, and process computes.
  functions = {
    http = {
      description = "Answers the HTTP API"
      timeout     = 29
      memory      = 512
      internet    = false
    }
    process = {
      description = "Turns raw objects into their outcomes"
      timeout     = 60
      memory      = 1024
      internet    = false
    }
    simulate = {
      description = "Sends made-up events, every 5 minutes"
      timeout     = 60
      memory      = 512
      internet    = false
    }
    dead-letters = {
      description = "Tries dead messages once more, then moves them into the failure log"
      timeout     = 60
      memory      = 512
      internet    = false
    }
    # Webhooks go to the internet, which a private subnet without NAT does not reach.
    notify = {
      description = "Delivers what is to be told, hands over what was left behind, every minute"
      timeout     = 60
      memory      = 512
      internet    = true
    }
  }

  # Names instead of references: API Gateway's document names a function whose environment names the API.
  function_names = { for name in keys(local.functions) : name => "${local.prefix}-${name}" }
  function_arns  = { for name, full in local.function_names : name => "arn:${local.partition}:lambda:${var.region}:${local.account_id}:function:${full}" }

  # Called by Scheduler, which does not wait for an answer: what fails twice goes to the undelivered queue.
  scheduled_functions = toset(concat(["notify"], var.enable_simulator ? ["simulate"] : []))

  public_url = coalesce(var.public_url, "https://${aws_api_gateway_rest_api.this.id}.execute-api.${var.region}.amazonaws.com/${var.stage}")

  environment = {
    EVENTPULSE_STAGE              = var.stage
    EVENTPULSE_TENANTS            = join(",", var.tenants)
    EVENTPULSE_PUBLIC_URL         = local.public_url
    EVENTPULSE_TABLE              = aws_dynamodb_table.this.name
    EVENTPULSE_RAW_BUCKET         = module.bucket["raw"].id
    EVENTPULSE_QUARANTINE_BUCKET  = module.bucket["quarantine"].id
    EVENTPULSE_RAW_QUEUE_URL      = aws_sqs_queue.this["raw"].url
    EVENTPULSE_RAW_DEAD_QUEUE_URL = aws_sqs_queue.dead["raw"].url
    EVENTPULSE_WORK_QUEUE_URL     = aws_sqs_queue.this["work"].url

    EVENTPULSE_WORK_DEAD_QUEUE_URL = aws_sqs_queue.dead["work"].url
    EVENTPULSE_ALERTS_TOPIC_ARN    = aws_sns_topic.this["alerts"].arn
    EVENTPULSE_FAILURES_TOPIC_ARN  = aws_sns_topic.this["failures"].arn
    EVENTPULSE_MAIL_FROM           = var.mail_from == null ? "" : var.mail_from
    EVENTPULSE_SECRET_ARN          = aws_secretsmanager_secret.this.arn

    POWERTOOLS_METRICS_NAMESPACE = "EventPulse"
    POWERTOOLS_LOG_LEVEL         = "INFO"
  }
}

resource "aws_lambda_function" "this" {
  for_each = local.functions

  function_name = local.function_names[each.key]
  description   = each.value.description
  role          = aws_iam_role.function[each.key].arn

  filename         = "${var.lambda_dir}/${each.key}.zip"
  source_code_hash = filebase64sha256("${var.lambda_dir}/${each.key}.zip")
  handler          = "index.handler"
  runtime          = "nodejs22.x"
  architectures    = ["arm64"]

  timeout                        = each.value.timeout
  memory_size                    = each.value.memory
  reserved_concurrent_executions = lookup(var.reserved_concurrency, each.key, -1)

  environment {
    variables = merge(var.environment, local.environment, { POWERTOOLS_SERVICE_NAME = local.function_names[each.key] })
  }

  # API Gateway decides for its requests by the rule of tracing.tf; what comes from a queue Lambda samples itself.
  tracing_config {
    mode = "Active"
  }

  # JSON, and of Lambda's own lines only what is wrong: START, END and REPORT are most of the bytes of a short call.
  # The emulator forgets it, and would show drift.
  dynamic "logging_config" {
    for_each = var.emulator ? [] : [true]

    content {
      log_group             = aws_cloudwatch_log_group.function[each.key].name
      log_format            = "JSON"
      application_log_level = "INFO"
      system_log_level      = "WARN"
    }
  }

  dynamic "vpc_config" {
    for_each = var.enable_vpc && !each.value.internet ? [true] : []

    content {
      subnet_ids         = values(aws_subnet.this)[*].id
      security_group_ids = [aws_security_group.functions[0].id]
    }
  }

  # Without its permissions a first call would fail; without the log group Lambda makes one that keeps everything for ever.
  depends_on = [aws_iam_role_policy.code, aws_iam_role_policy.runtime, aws_cloudwatch_log_group.function]
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.functions

  name              = "/aws/lambda/${local.function_names[each.key]}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

# Schedules come again, so one retry covers a hiccup. What fails twice is kept with its error, which a function's own dead-letter
# queue would not tell.
resource "aws_lambda_function_event_invoke_config" "scheduled" {
  for_each = toset(["notify", "simulate"])

  function_name                = aws_lambda_function.this[each.key].function_name
  maximum_event_age_in_seconds = 300
  maximum_retry_attempts       = 1

  destination_config {
    on_failure {
      destination = aws_sqs_queue.undelivered.arn
    }
  }
}

locals {
  event_sources = {
    raw  = { function = "process", queue = aws_sqs_queue.this["raw"].arn, batch_size = 10, window = var.raw_batch_window_seconds, share = 0.8 }
    work = { function = "process", queue = aws_sqs_queue.this["work"].arn, batch_size = 10, window = 0, share = 0.2 }
    # One dead message a call: each gets one more try alone, and one that ends the function takes no other with it.
    raw-dead  = { function = "dead-letters", queue = aws_sqs_queue.dead["raw"].arn, batch_size = 1, window = 0, share = null }
    work-dead = { function = "dead-letters", queue = aws_sqs_queue.dead["work"].arn, batch_size = 1, window = 0, share = null }
  }
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = var.enable_event_sources ? local.event_sources : {}

  event_source_arn                   = each.value.queue
  function_name                      = aws_lambda_function.this[each.value.function].arn
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.window

  # One message that fails is delivered again alone.
  function_response_types = ["ReportBatchItemFailures"]

  # The two queues of process share what is reserved for it: without this, throttled calls would use up a message's tries.
  dynamic "scaling_config" {
    for_each = each.value.share != null && contains(keys(var.reserved_concurrency), each.value.function) ? [true] : []

    content {
      maximum_concurrency = max(2, floor(each.value.share * var.reserved_concurrency[each.value.function]))
    }
  }
}
