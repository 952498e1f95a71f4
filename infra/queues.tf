# raw: events of new raw objects. work: what the pipeline asks of itself (retries, steps of jobs). Each has a dead-letter queue
# that the function dead-letters drains into the failure log. undelivered: what AWS could not hand over at all.

locals {
  # A message is tried as often as the code tries an event (limits.attemptsMax), then it is dead.
  receive_count_max = 5

  # process runs up to 60 s; AWS asks for at least 6 times that, plus the time it gathers a batch.
  visibility_timeout_seconds = 6 * local.functions["process"].timeout + var.raw_batch_window_seconds

  source_queues = toset(["raw", "work"])
}

resource "aws_sqs_queue" "this" {
  for_each = local.source_queues

  name                              = "${local.prefix}-${each.key}"
  visibility_timeout_seconds        = local.visibility_timeout_seconds
  message_retention_seconds         = 1209600
  receive_wait_time_seconds         = 20
  kms_master_key_id                 = aws_kms_key.this.arn
  kms_data_key_reuse_period_seconds = 3600

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    maxReceiveCount     = local.receive_count_max
  })
}

resource "aws_sqs_queue" "dead" {
  for_each = local.source_queues

  name                              = "${local.prefix}-${each.key}-dead"
  visibility_timeout_seconds        = 6 * local.functions["dead-letters"].timeout
  message_retention_seconds         = 1209600
  receive_wait_time_seconds         = 20
  kms_master_key_id                 = aws_kms_key.this.arn
  kms_data_key_reuse_period_seconds = 3600
}

resource "aws_sqs_queue_redrive_allow_policy" "this" {
  for_each = var.enable_redrive_allow_policy ? local.source_queues : []

  queue_url = aws_sqs_queue.dead[each.key].id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.this[each.key].arn]
  })
}

# Nothing reads it: the sweep finds raw objects whose event was lost, and schedules come again. An alarm says that it is not empty.
resource "aws_sqs_queue" "undelivered" {
  name                              = "${local.prefix}-undelivered"
  message_retention_seconds         = 1209600
  kms_master_key_id                 = aws_kms_key.this.arn
  kms_data_key_reuse_period_seconds = 3600
}

locals {
  # Only the rule of ingest.tf, and for `undelivered` what EventBridge could not deliver by it. Written as JSON: a policy document
  # is a data source, which is unknown while its queue changes.
  queue_policies = {
    for name, arn in { raw = aws_sqs_queue.this["raw"].arn, undelivered = aws_sqs_queue.undelivered.arn } : name => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "Events"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = arn
        Condition = {
          ArnEquals    = { "aws:SourceArn" = aws_cloudwatch_event_rule.raw.arn }
          StringEquals = { "aws:SourceAccount" = local.account_id }
        }
      }]
    })
  }
}

resource "aws_sqs_queue_policy" "raw" {
  queue_url = aws_sqs_queue.this["raw"].id
  policy    = local.queue_policies["raw"]
}

resource "aws_sqs_queue_policy" "undelivered" {
  queue_url = aws_sqs_queue.undelivered.id
  policy    = local.queue_policies["undelivered"]
}
