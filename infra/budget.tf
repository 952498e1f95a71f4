# Tells before a bill does.

resource "aws_budgets_budget" "this" {
  count = var.enable_budget ? 1 : 0

  name         = local.prefix
  budget_type  = "COST"
  limit_amount = tostring(var.budget_usd_monthly)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  cost_filter {
    name   = "TagKeyValue"
    values = [join("$", ["user:stage", var.stage])]
  }

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type         = notification.key
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = [aws_sns_topic.this["failures"].arn]
    }
  }

  depends_on = [aws_sns_topic_policy.this]
}
