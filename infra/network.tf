# Optional: the functions without internet run in private subnets that reach AWS through endpoints. There is no way out.

data "aws_availability_zones" "this" {
  count = var.enable_vpc ? 1 : 0

  state = "available"
}

locals {
  # Two zones: one may fail. Each interface endpoint is paid for in each.
  zones = var.enable_vpc ? toset(slice(sort(data.aws_availability_zones.this[0].names), 0, 2)) : toset([])

  gateway_endpoints   = var.enable_vpc ? toset(["dynamodb", "s3"]) : toset([])
  interface_endpoints = var.enable_vpc ? toset(["secretsmanager", "sqs"]) : toset([])
}

resource "aws_vpc" "this" {
  count = var.enable_vpc ? 1 : 0

  cidr_block           = var.vpc_cidr
  enable_dns_hostnames = true
  enable_dns_support   = true

  tags = { Name = local.prefix }
}

resource "aws_subnet" "this" {
  for_each = local.zones

  vpc_id            = aws_vpc.this[0].id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.vpc_cidr, 2, index(sort(tolist(local.zones)), each.key))

  tags = { Name = "${local.prefix}-${each.key}" }
}

resource "aws_route_table" "this" {
  count = var.enable_vpc ? 1 : 0

  vpc_id = aws_vpc.this[0].id

  tags = { Name = local.prefix }
}

resource "aws_route_table_association" "this" {
  for_each = local.zones

  subnet_id      = aws_subnet.this[each.key].id
  route_table_id = aws_route_table.this[0].id
}

resource "aws_security_group" "functions" {
  count = var.enable_vpc ? 1 : 0

  name        = "${local.prefix}-functions"
  description = "Functions: nothing in, HTTPS out"
  vpc_id      = aws_vpc.this[0].id

  tags = { Name = "${local.prefix}-functions" }
}

resource "aws_vpc_security_group_egress_rule" "functions" {
  count = var.enable_vpc ? 1 : 0

  security_group_id = aws_security_group.functions[0].id
  description       = "HTTPS to the endpoints; S3 and DynamoDB have public addresses, routed by their endpoints"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_security_group" "endpoints" {
  count = var.enable_vpc ? 1 : 0

  name        = "${local.prefix}-endpoints"
  description = "Endpoints: HTTPS from the functions"
  vpc_id      = aws_vpc.this[0].id

  tags = { Name = "${local.prefix}-endpoints" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count = var.enable_vpc ? 1 : 0

  security_group_id            = aws_security_group.endpoints[0].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.functions[0].id
}

# What goes through the endpoints is for this account only: a stolen key of another account carries nothing out.
data "aws_iam_policy_document" "endpoint" {
  statement {
    sid       = "OwnAccount"
    actions   = ["*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [local.account_id]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = local.gateway_endpoints

  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.this[0].id]
  policy            = data.aws_iam_policy_document.endpoint.json

  tags = { Name = "${local.prefix}-${each.key}" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_endpoints

  vpc_id              = aws_vpc.this[0].id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = values(aws_subnet.this)[*].id
  security_group_ids  = [aws_security_group.endpoints[0].id]
  policy              = data.aws_iam_policy_document.endpoint.json

  tags = { Name = "${local.prefix}-${each.key}" }
}
