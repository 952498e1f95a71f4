# One page: is anything lost, is anything late, what does it do.

locals {
  widgets = [
    {
      title = "Dead and undelivered messages"
      stat  = "Maximum"
      metrics = [for name in [aws_sqs_queue.dead["raw"].name, aws_sqs_queue.dead["work"].name, aws_sqs_queue.undelivered.name] :
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name]
      ]
    },
    {
      title = "Age of the oldest message, seconds"
      stat  = "Maximum"
      metrics = [for name in sort(tolist(local.source_queues)) :
        ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", aws_sqs_queue.this[name].name]
      ]
    },
    {
      title = "Messages that wait"
      stat  = "Maximum"
      metrics = [for name in sort(tolist(local.source_queues)) :
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.this[name].name]
      ]
    },
    {
      title = "API requests"
      stat  = "Sum"
      metrics = [for metric in ["Count", "4XXError", "5XXError"] :
        ["AWS/ApiGateway", metric, "ApiName", local.prefix, "Stage", var.stage]
      ]
    },
    {
      title   = "API latency, p99 milliseconds"
      stat    = "p99"
      metrics = [["AWS/ApiGateway", "Latency", "ApiName", local.prefix, "Stage", var.stage]]
    },
    {
      title   = "Function errors"
      stat    = "Sum"
      metrics = [for name in sort(keys(local.functions)) : ["AWS/Lambda", "Errors", "FunctionName", local.function_names[name]]]
    },
    {
      title   = "Function calls"
      stat    = "Sum"
      metrics = [for name in sort(keys(local.functions)) : ["AWS/Lambda", "Invocations", "FunctionName", local.function_names[name]]]
    },
    {
      title   = "Function time, p99 milliseconds"
      stat    = "p99"
      metrics = [for name in sort(keys(local.functions)) : ["AWS/Lambda", "Duration", "FunctionName", local.function_names[name]]]
    },
    {
      title = "Table: units written and read, throttled writes"
      stat  = "Sum"
      metrics = [for metric in ["ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits", "WriteThrottleEvents"] :
        ["AWS/DynamoDB", metric, "TableName", local.table_name]
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.enable_dashboard ? 1 : 0

  dashboard_name = local.prefix

  dashboard_body = jsonencode({
    widgets = [for index, widget in local.widgets : {
      type   = "metric"
      x      = 8 * (index % 3)
      y      = 6 * floor(index / 3)
      width  = 8
      height = 6
      properties = {
        title   = widget.title
        region  = var.region
        stat    = widget.stat
        period  = 60
        metrics = widget.metrics
      }
    }]
  })
}
