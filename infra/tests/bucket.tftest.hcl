# What must be true of every bucket. That each is made by this module is tested on a real plan (test/infra).

mock_provider "aws" {
  source = "./tests/mocks"
}

run "bucket" {
  command = apply

  module {
    source = "./modules/bucket"
  }

  variables {
    name          = "eventpulse-test-raw-123456789012"
    force_destroy = false
    kms_key_arn   = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    expire_days   = 7
    transitions   = { STANDARD_IA = 30, GLACIER_IR = 90 }
    enable_policy = true
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "A bucket is versioned."
  }
  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.this.rule :
      rule.bucket_key_enabled && rule.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms" && rule.apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    ])
    error_message = "A bucket is encrypted with the key, through a bucket key."
  }
  assert {
    condition = alltrue([
      for setting in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"] :
      aws_s3_bucket_public_access_block.this[setting]
    ])
    error_message = "A bucket is never public."
  }
  assert {
    condition     = length(aws_s3_bucket_policy.this) == 1
    error_message = "A bucket has its TLS-only policy."
  }
  assert {
    condition     = one([for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.expiration[0].days if rule.id == "age"]) == var.expire_days
    error_message = "Objects end after as many days as are said."
  }
  assert {
    condition     = tomap(one([for rule in aws_s3_bucket_lifecycle_configuration.this.rule : { for step in rule.transition : step.storage_class => step.days } if rule.id == "age"])) == var.transitions
    error_message = "Objects get cheaper when it is said."
  }
}
