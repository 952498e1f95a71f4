# Buckets by purpose. modules/bucket says what all of them are.

locals {
  buckets = toset(["raw", "processed", "quarantine", "curated", "reports", "logs"])

  # What ends after `expire` days, and what moves to a cheaper class after which days. IA takes objects after 30 days only.
  bucket_lifecycles = {
    raw        = { expire = var.retention_days, transitions = {} }
    processed  = { expire = var.retention_days, transitions = {} }
    quarantine = { expire = var.quarantine_days, transitions = { STANDARD_IA = 30, GLACIER_IR = 90 } }
    curated    = { expire = null, transitions = { STANDARD_IA = 30, GLACIER_IR = 90 } }
    reports    = { expire = null, transitions = { STANDARD_IA = 30, GLACIER_IR = 90 } }
    logs       = { expire = 400, transitions = { STANDARD_IA = 30, GLACIER_IR = 90 } }
  }

  # Names of buckets are the world's: the account keeps them apart.
  bucket_names = { for name in local.buckets : name => "${local.prefix}-${name}-${local.account_id}" }

  # In the raw bucket: raw objects, files that somebody puts by hand (inbox/{tenant}/{stream}/…), tickets of uploads, and what is
  # known of objects that cannot carry it themselves. Of the first two an event is sent.
  raw_prefix     = "raw/"
  inbox_prefix   = "inbox/"
  ticket_prefix  = "uploads/"
  sidecar_prefix = "meta/"
}

module "bucket" {
  source   = "./modules/bucket"
  for_each = local.buckets

  name             = local.bucket_names[each.key]
  force_destroy    = var.destroyable
  kms_key_arn      = aws_kms_key.this.arn
  expire_days      = local.bucket_lifecycles[each.key].expire
  transitions      = local.bucket_lifecycles[each.key].transitions
  enable_policy    = var.enable_bucket_policies
  policy_documents = each.key == "logs" ? [data.aws_iam_policy_document.trail.json] : []
}

# The bucket by its name: the policy is part of the module that makes it.
data "aws_iam_policy_document" "trail" {
  statement {
    sid       = "TrailReads"
    actions   = ["s3:GetBucketAcl"]
    resources = ["arn:${local.partition}:s3:::${local.bucket_names["logs"]}"]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.trail_arn]
    }
  }

  statement {
    sid       = "TrailWrites"
    actions   = ["s3:PutObject"]
    resources = ["arn:${local.partition}:s3:::${local.bucket_names["logs"]}/trail/AWSLogs/${local.account_id}/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.trail_arn]
    }
  }
}

resource "aws_s3_bucket_cors_configuration" "raw" {
  count = length(var.upload_origins) > 0 ? 1 : 0

  bucket = module.bucket["raw"].id

  cors_rule {
    allowed_methods = ["PUT"]
    allowed_origins = var.upload_origins
    allowed_headers = ["*"]
    max_age_seconds = 3600
  }
}
