# Least privilege: each function has a role of its own, with what its code calls (function_actions) and what Lambda does in its
# name (runtime_statements). A test records the calls and compares them with function_actions: nothing missing, nothing unused.

locals {
  # What the names in function_actions stand for.
  resources = {
    table              = [aws_dynamodb_table.this.arn]
    table_indexes      = ["${aws_dynamodb_table.this.arn}/index/g1-index", "${aws_dynamodb_table.this.arn}/index/g2-index"]
    raw_bucket         = [module.bucket["raw"].arn]
    raw_objects        = ["${module.bucket["raw"].arn}/${local.raw_prefix}*"]
    upload_tickets     = ["${module.bucket["raw"].arn}/${local.ticket_prefix}*"]
    sidecars           = ["${module.bucket["raw"].arn}/${local.sidecar_prefix}*"]
    inbox_objects      = ["${module.bucket["raw"].arn}/${local.inbox_prefix}*"]
    quarantine_bucket  = [module.bucket["quarantine"].arn]
    quarantine_objects = ["${module.bucket["quarantine"].arn}/*"]
    raw_queue          = [aws_sqs_queue.this["raw"].arn]
    work_queue         = [aws_sqs_queue.this["work"].arn]
    # With a sender mails are sent, without one the topics are told instead.
    topics        = var.mail_from == null ? [aws_sns_topic.this["alerts"].arn, aws_sns_topic.this["failures"].arn] : []
    mail_identity = aws_ses_email_identity.this[*].arn
    secret        = [aws_secretsmanager_secret.this.arn]
  }

  # s3:ListBucket is never called: with it S3 answers 404 for an object that is not there, without it 403.
  # A transaction needs the permissions of the writes in it; there is no action of its own to name.
  function_actions = {
    http = {
      table = [
        "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem",
        "dynamodb:Query",
      ]
      table_indexes      = ["dynamodb:Query"]
      raw_bucket         = ["s3:ListBucket"]
      raw_objects        = ["s3:GetObject", "s3:PutObject"]
      sidecars           = ["s3:GetObject", "s3:PutObject"]
      upload_tickets     = ["s3:GetObject", "s3:PutObject"]
      quarantine_bucket  = ["s3:ListBucket"]
      quarantine_objects = ["s3:GetObject"]
      work_queue         = ["sqs:SendMessage"]
      secret             = ["secretsmanager:GetSecretValue"]
    }
    process = {
      table = [
        "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem",
        "dynamodb:Query",
      ]
      table_indexes      = ["dynamodb:Query"]
      raw_bucket         = ["s3:ListBucket"]
      raw_objects        = ["s3:GetObject", "s3:PutObject"]
      sidecars           = ["s3:GetObject", "s3:PutObject"]
      upload_tickets     = ["s3:GetObject"]
      inbox_objects      = ["s3:GetObject"]
      quarantine_bucket  = ["s3:ListBucket"]
      quarantine_objects = ["s3:GetObject", "s3:PutObject"]
      work_queue         = ["sqs:SendMessage"]
    }
    # Notes each object as pending, and takes that back when it could not be put.
    simulate = {
      table       = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem"]
      raw_objects = ["s3:PutObject"]
    }
    # Processes, as process does: each dead message gets one more try.
    dead-letters = {
      table = [
        "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem",
        "dynamodb:Query",
      ]
      table_indexes      = ["dynamodb:Query"]
      raw_bucket         = ["s3:ListBucket"]
      raw_objects        = ["s3:GetObject", "s3:PutObject"]
      sidecars           = ["s3:GetObject", "s3:PutObject"]
      upload_tickets     = ["s3:GetObject"]
      inbox_objects      = ["s3:GetObject"]
      quarantine_bucket  = ["s3:ListBucket"]
      quarantine_objects = ["s3:GetObject", "s3:PutObject"]
      work_queue         = ["sqs:SendMessage"]
    }
    notify = {
      table = [
        "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem",
        "dynamodb:Query",
      ]
      table_indexes = ["dynamodb:Query"]
      raw_bucket    = ["s3:ListBucket"]
      raw_objects   = ["s3:GetObject"]
      raw_queue     = ["sqs:SendMessage"]
      work_queue    = ["sqs:SendMessage"]
      topics        = ["sns:Publish"]
      # What SES asks for when a mail comes as its own MIME text.
      mail_identity = ["ses:SendRawEmail"]
      secret        = ["secretsmanager:GetSecretValue"]
    }
  }

  code_statements = {
    for name, grants in local.function_actions : name => [
      for key, actions in grants : { sid = key, actions = actions, resources = local.resources[key] }
      if length(local.resources[key]) > 0
    ]
  }

  # Queues that Lambda polls with the function's role.
  polled_queues = {
    process      = [aws_sqs_queue.this["raw"].arn, aws_sqs_queue.this["work"].arn]
    dead-letters = [aws_sqs_queue.dead["raw"].arn, aws_sqs_queue.dead["work"].arn]
  }

  runtime_statements = {
    for name in keys(local.functions) : name => concat(
      [{
        sid       = "logs"
        actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        resources = ["${aws_cloudwatch_log_group.function[name].arn}:*"]
      }],
      # X-Ray has no resources to name here.
      [{
        sid       = "tracing"
        actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        resources = ["*"]
      }],
      contains(keys(local.polled_queues), name) ? [{
        sid       = "polling"
        actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        resources = local.polled_queues[name]
      }] : [],
      contains(["notify", "simulate"], name) ? [{
        sid       = "undelivered"
        actions   = ["sqs:SendMessage"]
        resources = [aws_sqs_queue.undelivered.arn]
      }] : [],
    )
  }

  # Services that use the key for a function: those that it calls, and SQS when Lambda polls or parks in its name.
  key_services = {
    for name, statements in local.code_statements : name => sort(distinct(concat(
      [for action in flatten(statements[*].actions) : split(":", action)[0] if !startswith(action, "ses:")],
      ["sqs"],
    )))
  }
}

data "aws_iam_policy_document" "assume_lambda" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "function" {
  for_each = local.functions

  name                 = local.function_names[each.key]
  description          = "${each.value.description} (EventPulse ${var.stage})"
  assume_role_policy   = data.aws_iam_policy_document.assume_lambda.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "code" {
  for_each = local.functions

  dynamic "statement" {
    for_each = local.code_statements[each.key]

    content {
      sid       = replace(title(replace(statement.value.sid, "_", " ")), " ", "")
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}

resource "aws_iam_role_policy" "code" {
  for_each = local.functions

  name   = "code"
  role   = aws_iam_role.function[each.key].id
  policy = data.aws_iam_policy_document.code[each.key].json
}

data "aws_iam_policy_document" "runtime" {
  for_each = local.functions

  dynamic "statement" {
    for_each = local.runtime_statements[each.key]

    content {
      sid       = title(statement.value.sid)
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }

  # Only through the services that hold what is encrypted, never to call KMS itself.
  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.this.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [for service in local.key_services[each.key] : "${service}.${var.region}.amazonaws.com"]
    }
  }

  dynamic "statement" {
    for_each = var.enable_vpc && !each.value.internet ? [true] : []

    content {
      sid = "Network"
      actions = [
        "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
      ]
      # EC2 names no network interface before it is made.
      resources = ["*"]
    }
  }

  # Lambda itself makes the network interfaces; the code in the function must not.
  dynamic "statement" {
    for_each = var.enable_vpc && !each.value.internet ? [true] : []

    content {
      sid       = "NetworkNotByCode"
      effect    = "Deny"
      actions   = ["ec2:*"]
      resources = ["*"]

      condition {
        test     = "ArnEquals"
        variable = "lambda:SourceFunctionArn"
        values   = [local.function_arns[each.key]]
      }
    }
  }
}

resource "aws_iam_role_policy" "runtime" {
  for_each = local.functions

  name   = "runtime"
  role   = aws_iam_role.function[each.key].id
  policy = data.aws_iam_policy_document.runtime[each.key].json
}
