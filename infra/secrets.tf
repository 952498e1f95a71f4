# The API key and the key that signs webhooks. Made once, written only: neither is in the state or in a plan. To make new ones,
# raise the version. To have your own, write them into the secret, which Terraform does not read back.

locals {
  secret_version = 1
}

ephemeral "aws_secretsmanager_random_password" "api_key" {
  count    = var.generate_secret ? 1 : 0
  provider = aws.ephemeral

  password_length     = 40
  exclude_punctuation = true
}

# 32 characters of base64 are the 24 bytes that Standard Webhooks asks for at least.
ephemeral "aws_secretsmanager_random_password" "webhook" {
  count    = var.generate_secret ? 1 : 0
  provider = aws.ephemeral

  password_length     = 32
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  name                    = local.prefix
  description             = "EventPulse ${var.stage}: the API key and the secret that signs webhooks"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.destroyable ? 0 : 30
}

resource "aws_secretsmanager_secret_version" "this" {
  count = var.generate_secret ? 1 : 0

  secret_id = aws_secretsmanager_secret.this.id

  secret_string_wo = jsonencode({
    key           = ephemeral.aws_secretsmanager_random_password.api_key[0].random_password
    webhookSecret = "whsec_${ephemeral.aws_secretsmanager_random_password.webhook[0].random_password}"
  })
  secret_string_wo_version = local.secret_version
}
