# Buckets by purpose. All are versioned, encrypted with the key of kms.tf, private and, by policy, TLS only.

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

  # In the raw bucket: raw objects, files that somebody puts by hand (inbox/{tenant}/{stream}/…), tickets of uploads, and what is
  # known of objects that cannot carry it themselves. Of the first two an event is sent.
  raw_prefix     = "raw/"
  inbox_prefix   = "inbox/"
  ticket_prefix  = "uploads/"
  sidecar_prefix = "meta/"
}

resource "aws_s3_bucket" "this" {
  for_each = local.buckets

  # Names of buckets are the world's: the account keeps them apart.
  bucket        = "${local.prefix}-${each.key}-${local.account_id}"
  force_destroy = var.destroyable
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    # One call to KMS for many objects instead of one for each: 99% of what KMS would cost.
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.this.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.this[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# No ACLs at all: who may do what is said by policies.
resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    id     = "age"
    status = "Enabled"

    filter {}

    dynamic "expiration" {
      for_each = local.bucket_lifecycles[each.key].expire[*]

      content {
        days = expiration.value
      }
    }

    dynamic "transition" {
      for_each = local.bucket_lifecycles[each.key].transitions

      content {
        storage_class = transition.key
        days          = transition.value
      }
    }

    # With versions, an expired object lives on until this: a day to undo a mistake, then retention is kept.
    noncurrent_version_expiration {
      noncurrent_days = 1
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  # Deletion markers that hide nothing any more; a rule with days may not name them.
  rule {
    id     = "markers"
    status = "Enabled"

    filter {}

    expiration {
      expired_object_delete_marker = true
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_cors_configuration" "raw" {
  count = length(var.upload_origins) > 0 ? 1 : 0

  bucket = aws_s3_bucket.this["raw"].id

  cors_rule {
    allowed_methods = ["PUT"]
    allowed_origins = var.upload_origins
    allowed_headers = ["*"]
    max_age_seconds = 3600
  }
}

data "aws_iam_policy_document" "bucket" {
  for_each = local.buckets

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.this[each.key].arn, "${aws_s3_bucket.this[each.key].arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  statement {
    sid       = "Tls12"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.this[each.key].arn, "${aws_s3_bucket.this[each.key].arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "NumericLessThan"
      variable = "s3:TlsVersion"
      values   = ["1.2"]
    }
  }

  dynamic "statement" {
    for_each = each.key == "logs" ? [true] : []

    content {
      sid       = "TrailReads"
      actions   = ["s3:GetBucketAcl"]
      resources = [aws_s3_bucket.this[each.key].arn]

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

  dynamic "statement" {
    for_each = each.key == "logs" ? [true] : []

    content {
      sid       = "TrailWrites"
      actions   = ["s3:PutObject"]
      resources = ["${aws_s3_bucket.this[each.key].arn}/trail/AWSLogs/${local.account_id}/*"]

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
}

resource "aws_s3_bucket_policy" "this" {
  for_each = var.enable_bucket_policies ? local.buckets : []

  bucket = aws_s3_bucket.this[each.key].id
  policy = data.aws_iam_policy_document.bucket[each.key].json

  depends_on = [aws_s3_bucket_public_access_block.this]
}
