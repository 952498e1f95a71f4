# Optional, for teams that deploy from inside AWS: source, test, plan, somebody's approval, apply, smoke test.
# The connection to GitHub is made pending: somebody accepts it once in the console.

locals {
  # In this order; each is a CodeBuild project with the file of its name in buildspecs/.
  builds = var.enable_pipeline ? toset(["test", "plan", "apply", "smoke"]) : toset([])

  # Those that change or read everything this folder makes.
  deploying_builds = var.enable_pipeline ? toset(["plan", "apply"]) : toset([])

  # Where the stack of infra/bootstrap is, whose state and roles these builds use.
  bootstrap_region = try(coalesce(var.pipeline.state_region), var.region)

  state_settings = var.pipeline == null ? {} : {
    STAGE        = var.stage
    STATE_BUCKET = var.pipeline.state_bucket
    STATE_KEY    = var.pipeline.state_key
    LOCK_TABLE   = var.pipeline.lock_table
    STATE_REGION = local.bootstrap_region
  }

  # Plans read the stage's .tfvars. What is not set there is planned as it was deployed, so that the pipeline takes nothing back
  # that it does not know of, least of all itself: its own switch is always on (buildspecs/plan.yml).
  plan_settings = var.pipeline == null ? {} : merge(
    {
      EVENTPULSE_CONFIG  = var.pipeline.config
      TF_VAR_region      = var.region
      TF_VAR_pipeline    = jsonencode(var.pipeline)
      TF_VAR_environment = jsonencode(var.environment)
    },
    var.permissions_boundary_arn == null ? {} : { TF_VAR_permissions_boundary_arn = var.permissions_boundary_arn },
  )

  smoke_settings = merge(
    { SECRET_ARN = aws_secretsmanager_secret.this.arn, PUBLIC_URL = local.public_url },
    try({ SMOKE_STREAM = var.pipeline.smoke.stream, SMOKE_EVENT = var.pipeline.smoke.event, SMOKE_WHERE = var.pipeline.smoke.where }, {}),
  )

  # Environment variables by build. The tests get none: they are to find what they find anywhere.
  build_settings = {
    test  = {}
    plan  = merge(local.state_settings, local.plan_settings, { ROLE_ARN = "${local.bootstrap_role_arn}-plan-${local.bootstrap_region}" })
    apply = merge(local.state_settings, { ROLE_ARN = "${local.bootstrap_role_arn}-deploy-${local.bootstrap_region}" })
    smoke = local.smoke_settings
  }

  bootstrap_role_arn = "arn:${local.partition}:iam::${local.account_id}:role/eventpulse"
}

resource "aws_codestarconnections_connection" "this" {
  count = var.enable_pipeline ? 1 : 0

  name          = local.prefix
  provider_type = "GitHub"
}

# What one stage hands to the next.
module "pipeline_bucket" {
  source = "./modules/bucket"
  count  = var.enable_pipeline ? 1 : 0

  name          = "${local.prefix}-pipeline-${local.account_id}"
  force_destroy = true
  kms_key_arn   = aws_kms_key.this.arn
  expire_days   = 30
  enable_policy = var.enable_bucket_policies
}

data "aws_iam_policy_document" "assume_pipeline" {
  for_each = toset(["codebuild", "codepipeline"])

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

data "aws_iam_policy_document" "artifacts" {
  count = var.enable_pipeline ? 1 : 0

  statement {
    sid       = "Artifacts"
    actions   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
    resources = ["${module.pipeline_bucket[0].arn}/*"]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.this.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "pipeline" {
  count = var.enable_pipeline ? 1 : 0

  name                 = "${local.prefix}-pipeline"
  assume_role_policy   = data.aws_iam_policy_document.assume_pipeline["codepipeline"].json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "pipeline" {
  count = var.enable_pipeline ? 1 : 0

  source_policy_documents = [data.aws_iam_policy_document.artifacts[0].json]

  statement {
    sid       = "Source"
    actions   = ["codestar-connections:UseConnection"]
    resources = [aws_codestarconnections_connection.this[0].arn]
  }

  statement {
    sid       = "Builds"
    actions   = ["codebuild:BatchGetBuilds", "codebuild:StartBuild"]
    resources = [for name in sort(tolist(local.builds)) : aws_codebuild_project.this[name].arn]
  }
}

resource "aws_iam_role_policy" "pipeline" {
  count = var.enable_pipeline ? 1 : 0

  name   = "pipeline"
  role   = aws_iam_role.pipeline[0].id
  policy = data.aws_iam_policy_document.pipeline[0].json
}

resource "aws_codepipeline" "this" {
  count = var.enable_pipeline ? 1 : 0

  name           = local.prefix
  role_arn       = aws_iam_role.pipeline[0].arn
  pipeline_type  = "V2"
  execution_mode = "QUEUED"

  artifact_store {
    type     = "S3"
    location = module.pipeline_bucket[0].id

    encryption_key {
      id   = aws_kms_key.this.arn
      type = "KMS"
    }
  }

  stage {
    name = "Source"

    action {
      name             = "GitHub"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeStarSourceConnection"
      version          = "1"
      output_artifacts = ["source"]

      configuration = {
        ConnectionArn    = aws_codestarconnections_connection.this[0].arn
        FullRepositoryId = var.pipeline.repository
        BranchName       = var.pipeline.branch
      }
    }
  }

  stage {
    name = "Test"

    action {
      name            = "Test"
      category        = "Test"
      owner           = "AWS"
      provider        = "CodeBuild"
      version         = "1"
      input_artifacts = ["source"]
      configuration   = { ProjectName = aws_codebuild_project.this["test"].name }
    }
  }

  stage {
    name = "Plan"

    action {
      name             = "Plan"
      category         = "Build"
      owner            = "AWS"
      provider         = "CodeBuild"
      version          = "1"
      run_order        = 1
      input_artifacts  = ["source"]
      output_artifacts = ["planned"]
      configuration    = { ProjectName = aws_codebuild_project.this["plan"].name }
    }

    # What is applied is the plan that was read.
    action {
      name      = "Approve"
      category  = "Approval"
      owner     = "AWS"
      provider  = "Manual"
      version   = "1"
      run_order = 2
    }
  }

  stage {
    name = "Apply"

    action {
      name            = "Apply"
      category        = "Build"
      owner           = "AWS"
      provider        = "CodeBuild"
      version         = "1"
      run_order       = 1
      input_artifacts = ["planned"]
      configuration   = { ProjectName = aws_codebuild_project.this["apply"].name }
    }

    action {
      name            = "Smoke"
      category        = "Test"
      owner           = "AWS"
      provider        = "CodeBuild"
      version         = "1"
      run_order       = 2
      input_artifacts = ["source"]
      configuration   = { ProjectName = aws_codebuild_project.this["smoke"].name }
    }
  }
}
