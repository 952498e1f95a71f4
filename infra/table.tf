# The one table. src/platforms/aws/item-keys.ts names what is in it.

locals {
  table_name = coalesce(var.table_name, local.prefix)
}

resource "aws_dynamodb_table" "this" {
  name                        = local.table_name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = !var.destroyable

  dynamic "attribute" {
    for_each = toset(["pk", "sk", "g1p", "g1s", "g2p", "g2s"])

    content {
      name = attribute.value
      type = "S"
    }
  }

  # Lists of all of a kind (g1), and of the part of it that is asked for most (g2).
  dynamic "global_secondary_index" {
    for_each = toset(["g1", "g2"])

    content {
      name            = "${global_secondary_index.value}-index"
      hash_key        = "${global_secondary_index.value}p"
      range_key       = "${global_secondary_index.value}s"
      projection_type = "ALL"
    }
  }

  ttl {
    attribute_name = "ttl"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.this.arn
  }
}
