# What wakes somebody up. docs/operations.md says for each what to do.

locals {
  # Alarms on the depth of what should be empty, on waiting, and per function on errors, throttles and time (p99, in seconds).
  alarms = !var.enable_alarms ? {} : merge(
    {
      for name, queue in {
        raw-dead    = aws_sqs_queue.dead["raw"].name
        work-dead   = aws_sqs_queue.dead["work"].name
        undelivered = aws_sqs_queue.undelivered.name
        } : "${name}-depth" => {
        description = "Messages lie in ${queue}"
        namespace   = "AWS/SQS"
        metric      = "ApproximateNumberOfMessagesVisible"
        dimensions  = { QueueName = queue }
        statistic   = "Maximum"
        threshold   = 0
        periods     = 1
      }
    },
    {
      for name in local.source_queues : "${name}-age" => {
        description = "The oldest message of the ${name} queue has waited 15 minutes"
        namespace   = "AWS/SQS"
        metric      = "ApproximateAgeOfOldestMessage"
        dimensions  = { QueueName = aws_sqs_queue.this[name].name }
        statistic   = "Maximum"
        threshold   = 900
        periods     = 1
      }
    },
    {
      for name, settings in local.functions : "${name}-errors" => {
        description = "${local.function_names[name]} failed"
        namespace   = "AWS/Lambda"
        metric      = "Errors"
        dimensions  = { FunctionName = local.function_names[name] }
        statistic   = "Sum"
        threshold   = 0
        periods     = 1
      }
    },
    {
      for name, settings in local.functions : "${name}-throttles" => {
        description = "${local.function_names[name]} was not called for want of concurrency"
        namespace   = "AWS/Lambda"
        metric      = "Throttles"
        dimensions  = { FunctionName = local.function_names[name] }
        statistic   = "Sum"
        threshold   = 0
        periods     = 3
      }
    },
    {
      for name, settings in local.functions : "${name}-duration" => {
        description = "p99 of ${local.function_names[name]} is past 80% of its time"
        namespace   = "AWS/Lambda"
        metric      = "Duration"
        dimensions  = { FunctionName = local.function_names[name] }
        statistic   = "p99"
        threshold   = settings.timeout * 800
        periods     = 3
      }
    },
    {
      api-5xx = {
        description = "The API answers with 5xx"
        namespace   = "AWS/ApiGateway"
        metric      = "5XXError"
        dimensions  = { ApiName = local.prefix, Stage = var.stage }
        statistic   = "Sum"
        threshold   = 0
        periods     = 2
      }
      api-latency = {
        description = "p99 of the API is past 3 s"
        namespace   = "AWS/ApiGateway"
        metric      = "Latency"
        dimensions  = { ApiName = local.prefix, Stage = var.stage }
        statistic   = "p99"
        threshold   = 3000
        periods     = 3
      }
      table-throttles = {
        description = "DynamoDB throttled writes"
        namespace   = "AWS/DynamoDB"
        metric      = "WriteThrottleEvents"
        dimensions  = { TableName = local.table_name }
        statistic   = "Sum"
        threshold   = 0
        periods     = 3
      }
      events-failed = {
        description = "EventBridge could not deliver the event of a raw object"
        namespace   = "AWS/Events"
        metric      = "FailedInvocations"
        dimensions  = { RuleName = aws_cloudwatch_event_rule.raw.name }
        statistic   = "Sum"
        threshold   = 0
        periods     = 1
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.periods
  treat_missing_data  = "notBreaching"

  statistic          = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic = startswith(each.value.statistic, "p") ? each.value.statistic : null

  # With the composite alarm on, that one alone tells: one mail for one trouble.
  alarm_actions = local.composite_alarm ? [] : [aws_sns_topic.this["failures"].arn]
  ok_actions    = local.composite_alarm ? [] : [aws_sns_topic.this["failures"].arn]
}

locals {
  composite_alarm = var.enable_alarms && var.enable_composite_alarm
}

resource "aws_cloudwatch_composite_alarm" "this" {
  count = local.composite_alarm ? 1 : 0

  alarm_name        = "${local.prefix}-trouble"
  alarm_description = "Something is wrong with EventPulse ${var.stage}: look which alarm is on"
  alarm_rule        = join(" OR ", [for name in sort(keys(local.alarms)) : "ALARM(\"${aws_cloudwatch_metric_alarm.this[name].alarm_name}\")"])
  alarm_actions     = [aws_sns_topic.this["failures"].arn]
  ok_actions        = [aws_sns_topic.this["failures"].arn]
}
