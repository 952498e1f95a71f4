terraform {
  # 1.11: write-only arguments, so that no secret is ever in the state.
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }

  # Which bucket and key: -backend-config=environments/STAGE.s3.tfbackend. infra/bootstrap makes the bucket.
  backend "s3" {}
}

provider "aws" {
  region      = var.region
  max_retries = var.max_retries

  skip_credentials_validation = var.emulator
  skip_metadata_api_check     = var.emulator
  skip_region_validation      = var.emulator
  s3_use_path_style           = var.emulator

  default_tags {
    tags = local.tags
  }
}

# The second region, for what replication.tf copies there. Unused while enable_replication is false.
provider "aws" {
  alias       = "replica"
  region      = var.replica_region
  max_retries = var.max_retries

  skip_credentials_validation = var.emulator
  skip_metadata_api_check     = var.emulator
  skip_region_validation      = var.emulator
  s3_use_path_style           = var.emulator

  default_tags {
    tags = local.tags
  }
}

# The same region again, for the ephemeral resources of secrets.tf: `terraform test` replaces the others by mocks, which know none.
provider "aws" {
  alias       = "ephemeral"
  region      = var.region
  max_retries = var.max_retries

  skip_credentials_validation = var.emulator
  skip_metadata_api_check     = var.emulator
  skip_region_validation      = var.emulator
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  prefix     = "eventpulse-${var.stage}"
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition

  tags = merge(var.tags, {
    application = "eventpulse"
    stage       = var.stage
    managed-by  = "terraform"
  })
}
