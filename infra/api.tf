# The HTTP API: API Gateway REST, described by the OpenAPI document that the code generates. Every operation goes to the function
# http; paths that the document does not name go there too, so that a 404 is the product's own problem document.

locals {
  openapi_fallback = { openapi = "3.0.1", info = { title = "EventPulse", version = "0" }, paths = {} }
  openapi_file     = coalesce(var.openapi_file, "${var.lambda_dir}/openapi.json")
  openapi          = jsondecode(fileexists(local.openapi_file) ? file(local.openapi_file) : jsonencode(local.openapi_fallback))

  http_methods = ["delete", "get", "head", "options", "patch", "post", "put"]

  gateway_integration = {
    x-amazon-apigateway-integration = {
      type                = "aws_proxy"
      httpMethod          = "POST"
      uri                 = "arn:${local.partition}:apigateway:${var.region}:lambda:path/2015-03-31/functions/${local.function_arns["http"]}/invocations"
      passthroughBehavior = "when_no_match"
      timeoutInMillis     = 29000
    }
  }

  # The function judges the product's key; the gateway's own is wanted only where a usage plan counts.
  gateway_security = var.gateway_key_required ? [{ gateway = [] }] : []

  # Methods that a path has not: the function says so.
  gateway_any = {
    x-amazon-apigateway-any-method = merge(local.gateway_integration, {
      security  = local.gateway_security
      responses = { default = { description = "Whatever the function answers" } }
    })
  }

  # JSON text in between, since both arms of a conditional must be of one type.
  gateway_paths = merge({ "/{proxy+}" = local.gateway_any }, {
    for path, item in local.openapi.paths : path => merge(local.gateway_any, {
      for method, operation in item : method => jsondecode(contains(local.http_methods, method) ? jsonencode(merge(operation, local.gateway_integration, {
        security = local.gateway_security
        # Bodies that are only ever JSON are checked against their schema, unless the operation says otherwise. Events are not:
        # they come in many formats, compressed, and one that is invalid must not stop the others.
        x-amazon-apigateway-request-validator = try(
          operation.x-amazon-apigateway-request-validator,
          keys(operation.requestBody.content) == ["application/json"] ? "all" : "parameters",
          "parameters",
        )
      })) : jsonencode(operation))
    })
  })

  gateway_document = merge(local.openapi, {
    # Names an API, and API Gateway takes its name from here.
    info  = merge(local.openapi.info, { title = local.prefix })
    paths = local.gateway_paths

    components = merge(try(local.openapi.components, {}), {
      securitySchemes = { gateway = { type = "apiKey", name = "x-api-key", in = "header" } }
    })

    x-amazon-apigateway-request-validators = {
      all        = { validateRequestBody = true, validateRequestParameters = true }
      parameters = { validateRequestBody = false, validateRequestParameters = true }
    }

    # Everything is bytes to the function: bodies may be compressed.
    x-amazon-apigateway-binary-media-types = ["*/*"]
  })

  # What API Gateway answers by itself is a problem document (RFC 9457) too.
  gateway_problems = {
    BAD_REQUEST_BODY       = { status = 422, code = "BODY_INVALID", title = "The body does not fit what this operation takes" }
    BAD_REQUEST_PARAMETERS = { status = 400, code = "PARAMETER_INVALID", title = "A parameter is not valid" }
    # A path on the way to others, such as /v1.
    MISSING_AUTHENTICATION_TOKEN = { status = 404, code = "ROUTE_UNKNOWN", title = "Nothing is at this address" }

    REQUEST_TOO_LARGE   = { status = 413, code = "BODY_TOO_LARGE", title = "The body is too large" }
    THROTTLED           = { status = 429, code = "TOO_BUSY", title = "Too much is waiting to be processed" }
    QUOTA_EXCEEDED      = { status = 429, code = "TOO_BUSY", title = "Too much is waiting to be processed" }
    INTEGRATION_TIMEOUT = { status = 500, code = "INTERNAL", title = "Something went wrong inside EventPulse" }
    INTEGRATION_FAILURE = { status = 500, code = "INTERNAL", title = "Something went wrong inside EventPulse" }
  }
}

resource "aws_api_gateway_rest_api" "this" {
  name        = local.prefix
  description = "EventPulse ${var.stage}"
  body        = jsonencode(local.gateway_document)

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_gateway_response" "this" {
  for_each = local.gateway_problems

  rest_api_id   = aws_api_gateway_rest_api.this.id
  response_type = each.key
  status_code   = each.value.status

  response_templates = {
    "application/json" = jsonencode({
      type      = "about:blank"
      title     = each.value.title
      status    = each.value.status
      code      = each.value.code
      requestId = "$context.requestId"
    })
  }

  response_parameters = merge(
    { "gatewayresponse.header.Content-Type" = "'application/problem+json'" },
    each.value.status >= 429 ? { "gatewayresponse.header.Retry-After" = "'1'" } : {},
  )
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id

  triggers = {
    document = sha256(jsonencode([local.gateway_document, local.gateway_problems]))
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [aws_api_gateway_gateway_response.this]
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/aws/apigateway/${local.prefix}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_api_gateway_stage" "this" {
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = var.stage
  xray_tracing_enabled = true

  # One line a request, without what it carried.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format = jsonencode({
      requestId = "$context.requestId"
      time      = "$context.requestTimeEpoch"
      ip        = "$context.identity.sourceIp"
      method    = "$context.httpMethod"
      path      = "$context.path"
      status    = "$context.status"
      bytes     = "$context.responseLength"
      millis    = "$context.responseLatency"
      error     = "$context.error.message"
      trace     = "$context.xrayTraceId"
    })
  }

  depends_on = [aws_api_gateway_account.this]
}

resource "aws_api_gateway_method_settings" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = true
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
    # The access log says enough; full request logs would hold events.
    logging_level      = "OFF"
    data_trace_enabled = false
  }
}

resource "aws_api_gateway_usage_plan" "this" {
  name        = local.prefix
  description = "What one gateway key may ask for"

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
  }

  throttle_settings {
    rate_limit  = var.throttle.rate
    burst_limit = var.throttle.burst
  }

  quota_settings {
    limit  = var.requests_per_day
    period = "DAY"
  }
}

resource "aws_api_gateway_api_key" "this" {
  count = var.gateway_key_required ? 1 : 0

  name = local.prefix
}

resource "aws_api_gateway_usage_plan_key" "this" {
  count = var.gateway_key_required ? 1 : 0

  key_id        = aws_api_gateway_api_key.this[0].id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.this.id
}

resource "aws_lambda_permission" "api" {
  statement_id   = "api"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this["http"].function_name
  principal      = "apigateway.amazonaws.com"
  source_arn     = "${aws_api_gateway_rest_api.this.execution_arn}/${var.stage}/*"
  source_account = local.account_id
}

# With which API Gateway writes access logs: one for all APIs of an account and region.

data "aws_iam_policy_document" "assume_gateway" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["apigateway.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_iam_role" "gateway_logs" {
  count = var.manage_gateway_logging_role ? 1 : 0

  name                 = "${local.prefix}-gateway-logs"
  assume_role_policy   = data.aws_iam_policy_document.assume_gateway.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "gateway_logs" {
  statement {
    sid = "Write"
    actions = [
      "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:PutLogEvents",
    ]
    resources = ["arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group:/aws/apigateway/*"]
  }

  # API Gateway tries the role out with these, which name no group.
  statement {
    sid       = "Describe"
    actions   = ["logs:CreateLogGroup", "logs:DescribeLogGroups"]
    resources = ["arn:${local.partition}:logs:${var.region}:${local.account_id}:*"]
  }
}

resource "aws_iam_role_policy" "gateway_logs" {
  count = var.manage_gateway_logging_role ? 1 : 0

  name   = "logs"
  role   = aws_iam_role.gateway_logs[0].id
  policy = data.aws_iam_policy_document.gateway_logs.json
}

resource "aws_api_gateway_account" "this" {
  count = var.manage_gateway_logging_role ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.gateway_logs[0].arn
  # Else destroy leaves the name of a role that is gone. The emulator cannot.
  reset_on_delete = !var.emulator

  depends_on = [aws_iam_role_policy.gateway_logs]
}
