# A raw object that is durable is handed to processing: S3 -> EventBridge -> SQS. Embedded, one log does both.

resource "aws_s3_bucket_notification" "raw" {
  bucket      = module.bucket["raw"].id
  eventbridge = true
}

resource "aws_cloudwatch_event_rule" "raw" {
  name        = "${local.prefix}-raw"
  description = "Raw objects that were put, by a door or straight into the bucket"

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [module.bucket["raw"].id] }
      object = { key = [{ prefix = local.raw_prefix }, { prefix = local.inbox_prefix }] }
    }
  })
}

resource "aws_cloudwatch_event_target" "raw" {
  rule      = aws_cloudwatch_event_rule.raw.name
  target_id = "raw-queue"
  arn       = aws_sqs_queue.this["raw"].arn

  # EventBridge tries for a day; what it cannot deliver is kept, and the sweep sends the object's message again.
  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  depends_on = [aws_sqs_queue_policy.raw, aws_sqs_queue_policy.undelivered]
}
