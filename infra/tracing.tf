# X-Ray: 1 of 100 requests. A trace costs as much as storing 8 events.

resource "aws_xray_sampling_rule" "this" {
  count = var.enable_tracing_rules ? 1 : 0

  rule_name      = local.prefix
  priority       = 1000
  version        = 1
  reservoir_size = 0
  fixed_rate     = 0.01
  service_name   = "${local.prefix}/${var.stage}"
  service_type   = "AWS::ApiGateway::Stage"
  host           = "*"
  http_method    = "*"
  url_path       = "*"
  resource_arn   = "*"
}

resource "aws_xray_group" "this" {
  count = var.enable_tracing_rules ? 1 : 0

  group_name        = "${local.prefix}-trouble"
  filter_expression = "service(\"${local.prefix}/${var.stage}\") AND (fault OR responsetime > 3)"
}
