# Optional: what cannot be made again (raw objects, failures' payloads, curated data) is copied to a second region.

locals {
  replicated_buckets = var.enable_replication ? toset(["raw", "quarantine", "curated"]) : toset([])
}

resource "aws_kms_key" "replica" {
  count    = var.enable_replication ? 1 : 0
  provider = aws.replica

  description             = "EventPulse ${var.stage}: copies of the buckets"
  enable_key_rotation     = true
  deletion_window_in_days = var.destroyable ? 7 : 30
}

resource "aws_s3_bucket" "replica" {
  for_each = local.replicated_buckets
  provider = aws.replica

  bucket        = "${local.prefix}-${each.key}-replica-${local.account_id}"
  force_destroy = var.destroyable
}

resource "aws_s3_bucket_versioning" "replica" {
  for_each = local.replicated_buckets
  provider = aws.replica

  bucket = aws_s3_bucket.replica[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "replica" {
  for_each = local.replicated_buckets
  provider = aws.replica

  bucket = aws_s3_bucket.replica[each.key].id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.replica[0].arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "replica" {
  for_each = local.replicated_buckets
  provider = aws.replica

  bucket                  = aws_s3_bucket.replica[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "replica" {
  for_each = local.replicated_buckets
  provider = aws.replica

  bucket = aws_s3_bucket.replica[each.key].id

  # Deletions by age are not replicated: the copy has the same rule.
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

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.replica]
}

data "aws_iam_policy_document" "replica" {
  for_each = local.replicated_buckets

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.replica[each.key].arn, "${aws_s3_bucket.replica[each.key].arn}/*"]

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
}

resource "aws_s3_bucket_policy" "replica" {
  for_each = var.enable_bucket_policies ? local.replicated_buckets : []
  provider = aws.replica

  bucket = aws_s3_bucket.replica[each.key].id
  policy = data.aws_iam_policy_document.replica[each.key].json
}

data "aws_iam_policy_document" "assume_replication" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_iam_role" "replication" {
  count = var.enable_replication ? 1 : 0

  name                 = "${local.prefix}-replication"
  description          = "Copies objects to the second region"
  assume_role_policy   = data.aws_iam_policy_document.assume_replication.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "replication" {
  count = var.enable_replication ? 1 : 0

  statement {
    sid       = "Buckets"
    actions   = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
    resources = [for name in sort(tolist(local.replicated_buckets)) : aws_s3_bucket.this[name].arn]
  }

  statement {
    sid       = "Read"
    actions   = ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"]
    resources = [for name in sort(tolist(local.replicated_buckets)) : "${aws_s3_bucket.this[name].arn}/*"]
  }

  statement {
    sid       = "Write"
    actions   = ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"]
    resources = [for name in sort(tolist(local.replicated_buckets)) : "${aws_s3_bucket.replica[name].arn}/*"]
  }

  statement {
    sid       = "KeyHere"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.this.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "KeyThere"
    actions   = ["kms:Encrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.replica[0].arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.replica_region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "replication" {
  count = var.enable_replication ? 1 : 0

  name   = "copy"
  role   = aws_iam_role.replication[0].id
  policy = data.aws_iam_policy_document.replication[0].json
}

resource "aws_s3_bucket_replication_configuration" "this" {
  for_each = local.replicated_buckets

  bucket = aws_s3_bucket.this[each.key].id
  role   = aws_iam_role.replication[0].arn

  rule {
    id     = "all"
    status = "Enabled"

    filter {}

    # The emulator forgets this and the next: without them a second plan there is empty.
    delete_marker_replication {
      status = var.emulator ? "Disabled" : "Enabled"
    }

    dynamic "source_selection_criteria" {
      for_each = var.emulator ? [] : [true]

      content {
        sse_kms_encrypted_objects {
          status = "Enabled"
        }
      }
    }

    destination {
      bucket        = aws_s3_bucket.replica[each.key].arn
      storage_class = "STANDARD_IA"

      encryption_configuration {
        replica_kms_key_id = aws_kms_key.replica[0].arn
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this, aws_s3_bucket_versioning.replica, aws_iam_role_policy.replication]
}
