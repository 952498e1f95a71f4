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

# Deletions by age are not replicated: the copy has the same rule.
module "replica" {
  source    = "./modules/bucket"
  for_each  = local.replicated_buckets
  providers = { aws = aws.replica }

  name          = "${local.prefix}-${each.key}-replica-${local.account_id}"
  force_destroy = var.destroyable
  kms_key_arn   = aws_kms_key.replica[0].arn
  expire_days   = local.bucket_lifecycles[each.key].expire
  enable_policy = var.enable_bucket_policies
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
    resources = [for name in sort(tolist(local.replicated_buckets)) : module.bucket[name].arn]
  }

  statement {
    sid       = "Read"
    actions   = ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"]
    resources = [for name in sort(tolist(local.replicated_buckets)) : "${module.bucket[name].arn}/*"]
  }

  statement {
    sid       = "Write"
    actions   = ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"]
    resources = [for name in sort(tolist(local.replicated_buckets)) : "${module.replica[name].arn}/*"]
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

  bucket = module.bucket[each.key].id
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
      bucket        = module.replica[each.key].arn
      storage_class = "STANDARD_IA"

      encryption_configuration {
        replica_kms_key_id = aws_kms_key.replica[0].arn
      }
    }
  }

  depends_on = [aws_iam_role_policy.replication]
}
