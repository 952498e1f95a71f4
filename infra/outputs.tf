output "public_url" {
  description = "Address that clients use: `eventpulse send --url …`."
  value       = local.public_url
}

output "api" {
  description = "The REST API: id, stage and the address of that stage."
  value = {
    id     = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
    invoke = aws_api_gateway_stage.this.invoke_url
  }
}

output "gateway_key_id" {
  description = "Id of the API Gateway key when gateway_key_required is on, else null; its value is read with the AWS CLI."
  value       = one(aws_api_gateway_api_key.this[*].id)
}

output "secret_arn" {
  description = "Secret with the API key (`key`) and the webhook secret (`webhookSecret`)."
  value       = aws_secretsmanager_secret.this.arn
}

output "table" {
  description = "Name of the DynamoDB table."
  value       = aws_dynamodb_table.this.name
}

output "buckets" {
  description = "Names of the buckets by purpose: raw, processed, quarantine, curated, reports, logs."
  value       = { for name, bucket in module.bucket : name => bucket.id }
}

output "queues" {
  description = "URLs of the queues: raw, work, raw-dead, work-dead, undelivered."
  value = merge(
    { for name, queue in aws_sqs_queue.this : name => queue.url },
    { for name, queue in aws_sqs_queue.dead : "${name}-dead" => queue.url },
    { undelivered = aws_sqs_queue.undelivered.url },
  )
}

output "topics" {
  description = "ARNs of the topics: alerts, failures."
  value       = { for name, topic in aws_sns_topic.this : name => topic.arn }
}

output "key_arn" {
  description = "KMS key of everything at rest."
  value       = aws_kms_key.this.arn
}

output "functions" {
  description = "By function: its name, timeout in seconds, memory in MB, log group and environment but for var.environment. Nothing in it is secret."
  value = {
    for name, function in aws_lambda_function.this : name => {
      name        = function.function_name
      arn         = function.arn
      role_arn    = function.role
      timeout     = function.timeout
      memory      = function.memory_size
      log_group   = aws_cloudwatch_log_group.function[name].name
      environment = { for key, value in function.environment[0].variables : key => value if !contains(keys(var.environment), key) }
    }
  }
}

output "event_sources" {
  description = "Which queue calls which function, as event source mappings do it: batch size, window in seconds."
  value = {
    for name, source in local.event_sources : name => {
      function       = source.function
      queue_arn      = source.queue
      batch_size     = source.batch_size
      window_seconds = source.window
    }
  }
}

output "schedules" {
  description = "Which functions Scheduler calls."
  value       = { for name, schedule in aws_scheduler_schedule.this : name => schedule.schedule_expression }
}

output "function_permissions" {
  description = "By function, what its code may call (`code`) and what Lambda does in its name (`runtime`): actions and ARNs."
  value = {
    for name in keys(local.functions) : name => {
      code    = local.code_statements[name]
      runtime = local.runtime_statements[name]
    }
  }
}
