# alerts: what a rule found in the data. failures: what could not be processed, alarms and the budget.

locals {
  topics = toset(["alerts", "failures"])

  subscriptions = merge(
    { for address in var.alert_emails : "alerts ${address}" => { topic = "alerts", address = address } },
    { for address in var.failure_emails : "failures ${address}" => { topic = "failures", address = address } },
  )
}

resource "aws_sns_topic" "this" {
  for_each = local.topics

  name              = "${local.prefix}-${each.key}"
  display_name      = "EventPulse ${var.stage} ${each.key}"
  kms_master_key_id = aws_kms_key.this.arn
}

resource "aws_sns_topic_subscription" "this" {
  for_each = local.subscriptions

  topic_arn = aws_sns_topic.this[each.value.topic].arn
  protocol  = "email"
  endpoint  = each.value.address
}

data "aws_iam_policy_document" "topic" {
  for_each = local.topics

  # What this account's own identities may do is said by their policies. Others: alarms and the budget, into failures only.
  statement {
    sid       = "Account"
    actions   = ["sns:GetTopicAttributes", "sns:Publish", "sns:Subscribe"]
    resources = [aws_sns_topic.this[each.key].arn]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account_id}:root"]
    }
  }

  dynamic "statement" {
    for_each = each.key == "failures" ? [true] : []

    content {
      sid       = "Services"
      actions   = ["sns:Publish"]
      resources = [aws_sns_topic.this[each.key].arn]

      principals {
        type        = "Service"
        identifiers = ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]
      }
      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [local.account_id]
      }
    }
  }
}

resource "aws_sns_topic_policy" "this" {
  for_each = local.topics

  arn    = aws_sns_topic.this[each.key].arn
  policy = data.aws_iam_policy_document.topic[each.key].json
}
