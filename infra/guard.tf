# GuardDuty watches the account; Malware Protection scans uploads and tags them. Both off unless asked for: they cost.

resource "aws_guardduty_detector" "this" {
  count = var.enable_guardduty ? 1 : 0

  enable                       = true
  finding_publishing_frequency = "FIFTEEN_MINUTES"
}

resource "aws_guardduty_detector_feature" "s3" {
  count = var.enable_guardduty ? 1 : 0

  detector_id = aws_guardduty_detector.this[0].id
  name        = "S3_DATA_EVENTS"
  status      = "ENABLED"
}

# What the GuardDuty guide lists for scanning one bucket with its own managed rule of EventBridge.
# https://docs.aws.amazon.com/guardduty/latest/ug/malware-protection-s3-iam-policy-prerequisite.html

data "aws_iam_policy_document" "assume_malware_protection" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["malware-protection-plan.guardduty.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_iam_role" "malware_protection" {
  count = var.enable_malware_protection ? 1 : 0

  name                 = "${local.prefix}-malware-protection"
  description          = "Scans what is put into the raw bucket"
  assume_role_policy   = data.aws_iam_policy_document.assume_malware_protection.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "malware_protection" {
  statement {
    sid       = "Rule"
    actions   = ["events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets"]
    resources = ["arn:${local.partition}:events:${var.region}:${local.account_id}:rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*"]

    condition {
      test     = "StringLike"
      variable = "events:ManagedBy"
      values   = ["malware-protection-plan.guardduty.amazonaws.com"]
    }
  }

  statement {
    sid       = "RuleRead"
    actions   = ["events:DescribeRule", "events:ListTargetsByRule"]
    resources = ["arn:${local.partition}:events:${var.region}:${local.account_id}:rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*"]
  }

  statement {
    sid       = "Bucket"
    actions   = ["s3:GetBucketNotification", "s3:ListBucket", "s3:PutBucketNotification"]
    resources = [module.bucket["raw"].arn]
  }

  statement {
    sid       = "TryOut"
    actions   = ["s3:PutObject"]
    resources = ["${module.bucket["raw"].arn}/malware-protection-resource-validation-object"]
  }

  statement {
    sid = "Objects"
    actions = [
      "s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:GetObjectVersionTagging", "s3:PutObjectTagging",
      "s3:PutObjectVersionTagging",
    ]
    resources = ["${module.bucket["raw"].arn}/*"]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.this.arn]

    condition {
      test     = "StringLike"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "malware_protection" {
  count = var.enable_malware_protection ? 1 : 0

  name   = "scan"
  role   = aws_iam_role.malware_protection[0].id
  policy = data.aws_iam_policy_document.malware_protection.json
}

resource "aws_guardduty_malware_protection_plan" "raw" {
  count = var.enable_malware_protection ? 1 : 0

  role = aws_iam_role.malware_protection[0].arn

  protected_resource {
    s3_bucket {
      bucket_name     = module.bucket["raw"].id
      object_prefixes = [local.inbox_prefix, local.raw_prefix]
    }
  }

  actions = [{ tagging = [{ status = "ENABLED" }] }]

  depends_on = [aws_iam_role_policy.malware_protection]
}
