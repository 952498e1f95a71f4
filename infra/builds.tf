# The builds of pipeline.tf: a CodeBuild project each, with a role of its own.

resource "aws_iam_role" "build" {
  for_each = local.builds

  name                 = "${local.prefix}-build-${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.assume_pipeline["codebuild"].json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "build" {
  for_each = local.builds

  source_policy_documents = [data.aws_iam_policy_document.artifacts[0].json]

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.build[each.key].arn}:*"]
  }

  # The roles that infra/bootstrap made for this: what they may do is said there, once, for GitHub and for this pipeline.
  dynamic "statement" {
    for_each = contains(local.deploying_builds, each.key) ? [true] : []

    content {
      sid       = "Deploy"
      actions   = ["sts:AssumeRole"]
      resources = [local.build_settings[each.key].ROLE_ARN]
    }
  }

  dynamic "statement" {
    for_each = each.key == "smoke" ? [true] : []

    content {
      sid       = "ApiKey"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [aws_secretsmanager_secret.this.arn]
    }
  }

  dynamic "statement" {
    for_each = each.key == "smoke" ? [true] : []

    content {
      sid       = "SecretKey"
      actions   = ["kms:Decrypt"]
      resources = [aws_kms_key.this.arn]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${var.region}.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_role_policy" "build" {
  for_each = local.builds

  name   = "build"
  role   = aws_iam_role.build[each.key].id
  policy = data.aws_iam_policy_document.build[each.key].json
}

resource "aws_cloudwatch_log_group" "build" {
  for_each = local.builds

  name              = "/aws/codebuild/${local.prefix}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_codebuild_project" "this" {
  for_each = local.builds

  name           = "${local.prefix}-${each.key}"
  description    = "EventPulse ${var.stage}: ${each.key}"
  service_role   = aws_iam_role.build[each.key].arn
  encryption_key = aws_kms_key.this.arn
  build_timeout  = 60

  artifacts {
    type = "CODEPIPELINE"
  }

  environment {
    type         = "ARM_CONTAINER"
    compute_type = "BUILD_GENERAL1_SMALL"
    image        = "aws/codebuild/amazonlinux-aarch64-standard:3.0"

    dynamic "environment_variable" {
      for_each = local.build_settings[each.key]

      content {
        name  = environment_variable.key
        value = environment_variable.value
      }
    }
  }

  source {
    type      = "CODEPIPELINE"
    buildspec = "infra/buildspecs/${each.key}.yml"
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.build[each.key].name
    }
  }
}
