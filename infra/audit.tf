# CloudTrail: who did what to the account, and who read or wrote which object.

locals {
  # By name: the bucket's policy and the key's policy name the trail, and the trail needs both.
  trail_arn = "arn:${local.partition}:cloudtrail:${var.region}:${local.account_id}:trail/${local.prefix}"
}

resource "aws_cloudtrail" "this" {
  count = var.enable_audit_trail ? 1 : 0

  name                          = local.prefix
  s3_bucket_name                = module.bucket["logs"].id
  s3_key_prefix                 = "trail"
  kms_key_id                    = aws_kms_key.this.arn
  is_multi_region_trail         = true
  include_global_service_events = true
  # A digest each hour: whoever changes a log file in the bucket is found out.
  enable_log_file_validation = true

  advanced_event_selector {
    name = "Management"

    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
  }

  # All buckets but logs, whose own writes would be logged for ever.
  advanced_event_selector {
    name = "Objects"

    field_selector {
      field  = "eventCategory"
      equals = ["Data"]
    }
    field_selector {
      field  = "resources.type"
      equals = ["AWS::S3::Object"]
    }
    field_selector {
      field       = "resources.ARN"
      starts_with = [for name in sort(tolist(local.buckets)) : "${module.bucket[name].arn}/" if name != "logs"]
    }
  }

  # A trail may only be made once its bucket takes it.
  depends_on = [module.bucket]

  lifecycle {
    precondition {
      condition     = var.enable_bucket_policies
      error_message = "The trail writes by the policy of the logs bucket: enable_bucket_policies must be on."
    }
  }
}
