# What a stage may set, in this order: the stage, the product, what it may use, switches with a price, switches without.

variable "stage" {
  description = "Name of this deployment, part of every resource's name: 2 to 12 lower-case letters and digits."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.stage))
    error_message = "The stage is 2 to 12 lower-case letters and digits, and starts with a letter."
  }
}

variable "region" {
  description = "AWS region that everything runs in."
  type        = string
  default     = "eu-central-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "The region is a name such as eu-central-1."
  }
}

variable "replica_region" {
  description = "Second region, for the copies that enable_replication makes. Must differ from region when that is on."
  type        = string
  default     = "eu-west-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.replica_region))
    error_message = "The region is a name such as eu-west-1."
  }
  validation {
    condition     = !var.enable_replication || var.replica_region != var.region
    error_message = "A copy in the same region survives no loss of that region: choose another replica_region."
  }
}

variable "tags" {
  description = "Tags of every resource, besides application, stage and managed-by."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(var.tags) <= 40
    error_message = "AWS takes 50 tags a resource; 40 of them are yours."
  }
}

variable "destroyable" {
  description = "Whether `terraform destroy` may delete what holds data: buckets with objects, the table, the secret without a waiting time."
  type        = bool
  default     = false
}

variable "generate_secret" {
  description = "Whether AWS makes up the API key and the webhook secret. Off: write {\"key\": …, \"webhookSecret\": \"whsec_…\"} into the secret yourself."
  type        = bool
  default     = true
}

variable "tenants" {
  description = "Tenants besides default. Each has a key of its own, which you write into the secret (docs/aws.md)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.tenants : can(regex("^[a-z][a-z0-9-]{0,62}$", name))])
    error_message = "A tenant's name is a letter a-z, then up to 62 of a-z, 0-9 and -."
  }
  validation {
    condition     = length(distinct(concat(["default"], var.tenants))) == length(var.tenants) + 1
    error_message = "Each tenant is named once, and default is there already."
  }
}

variable "table_name" {
  description = "Name of the DynamoDB table. Null: that of the stage. Another one takes a restored table into use (docs/operations.md)."
  type        = string
  default     = null

  validation {
    condition     = var.table_name == null ? true : can(regex("^eventpulse-[A-Za-z0-9_.-]{1,244}$", var.table_name)) && var.table_name != "eventpulse-state-lock"
    error_message = "The name begins with eventpulse-, which the roles that deploy may change, and has at most 255 letters, digits and _.-"
  }
}

variable "environment" {
  description = "Environment variables that the config reads with env(NAME), given to every function. Visible to whoever may read the functions' configuration or the state."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Z][A-Z0-9_]*$", name)) && !can(regex("^(EVENTPULSE|AWS|LAMBDA|POWERTOOLS|NODE)_", name))])
    error_message = "Names are upper-case letters, digits and _, and do not begin with EVENTPULSE_, AWS_, LAMBDA_, POWERTOOLS_ or NODE_: those are taken."
  }
}

variable "lambda_dir" {
  description = "Folder with the zips of the functions, as `eventpulse build` writes it, from where Terraform runs."
  type        = string
  default     = "../dist/lambda"

  validation {
    condition     = alltrue([for name in ["http", "process", "simulate", "dead-letters", "notify"] : fileexists("${var.lambda_dir}/${name}.zip")])
    error_message = "A zip is missing (http, process, simulate, dead-letters, notify): run `eventpulse build` first."
  }
}

variable "openapi_file" {
  description = "OpenAPI 3.0 document that API Gateway imports. Null: openapi.json in lambda_dir. Where there is none, every request goes to the function unchecked."
  type        = string
  default     = null
}

variable "public_url" {
  description = "Address that clients use, without a slash at its end. Null: the address of API Gateway's stage."
  type        = string
  default     = null

  validation {
    condition     = var.public_url == null ? true : can(regex("^https?://[^/]+(/[^/]+)*$", var.public_url))
    error_message = "The address starts with https:// and has no slash at its end."
  }
}

variable "upload_origins" {
  description = "Origins of web pages that may put a file through a signed link, such as https://app.example.com."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.upload_origins : can(regex("^https?://[^/*]+$", origin))])
    error_message = "An origin is a scheme and a host, without a path and without a star."
  }
}

variable "mail_from" {
  description = "Address that mails are sent from; SES sends it a mail to verify it. Null: no mail is sent."
  type        = string
  default     = null

  validation {
    condition     = var.mail_from == null ? true : can(regex("^[^@\\s<>]+@[^@\\s<>]+\\.[^@\\s<>]+$", var.mail_from))
    error_message = "mail_from is one plain e-mail address."
  }
}

variable "alert_emails" {
  description = "Addresses that alerts about the data are mailed to while mail_from is null; each confirms its subscription once. With mail_from the addresses of the config get them, and these nothing."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s<>]+@[^@\\s<>]+\\.[^@\\s<>]+$", address))])
    error_message = "Each entry is one plain e-mail address."
  }
}

variable "failure_emails" {
  description = "Addresses of those who run this: alarms, the budget and, while mail_from is null, failures of events. Each confirms its subscription once. With mail_from the owners in the config are told of failures."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.failure_emails : can(regex("^[^@\\s<>]+@[^@\\s<>]+\\.[^@\\s<>]+$", address))])
    error_message = "Each entry is one plain e-mail address."
  }
}

variable "retention_days" {
  description = "Days that raw and processed objects are kept, 1 to 3650. Not less than the longest `retention.raw` of the config."
  type        = number
  default     = 7

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 3650 && floor(var.retention_days) == var.retention_days
    error_message = "Whole days, 1 to 3650."
  }
}

variable "quarantine_days" {
  description = "Days that large payloads of failures are kept, 91 to 3660. More than the longest `retention.failures` of the config: a failure whose payload is gone cannot be retried."
  type        = number
  default     = 400

  # The last move to a cheaper class is at 90 days, and must come before the end.
  validation {
    condition     = var.quarantine_days >= 91 && var.quarantine_days <= 3660 && floor(var.quarantine_days) == var.quarantine_days
    error_message = "Whole days, 91 to 3660."
  }
  validation {
    condition     = var.quarantine_days > var.retention_days
    error_message = "Payloads of failures are kept longer than raw objects: raise quarantine_days above retention_days."
  }
}

variable "log_retention_days" {
  description = "Days that logs in CloudWatch are kept, as CloudWatch offers them."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "throttle" {
  description = "Requests a second that the API takes for long (rate) and at once (burst); more are answered 429."
  type        = object({ rate = number, burst = number })
  default     = { rate = 200, burst = 400 }

  validation {
    condition     = var.throttle.rate >= 1 && var.throttle.rate <= 10000 && var.throttle.burst >= 1 && var.throttle.burst <= 5000
    error_message = "rate is 1 to 10000, burst 1 to 5000: more than an account has."
  }
}

variable "requests_per_day" {
  description = "Requests a day of one gateway key (see gateway_key_required)."
  type        = number
  default     = 1000000

  validation {
    condition     = var.requests_per_day >= 1 && floor(var.requests_per_day) == var.requests_per_day
    error_message = "A whole number of requests, at least 1."
  }
}

variable "gateway_key_required" {
  description = "Whether clients send API Gateway's own key (x-api-key) besides the key of the product, so that the usage plan counts them."
  type        = bool
  default     = false
}

variable "reserved_concurrency" {
  description = "Executions at once, by function (http, process, simulate, dead-letters, notify). A function without one shares what the account has. AWS keeps 100 unreserved: new accounts have none to reserve. process needs 5 at least."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.reserved_concurrency) : contains(["http", "process", "simulate", "dead-letters", "notify"], name)])
    error_message = "The functions are http, process, simulate, dead-letters and notify."
  }
  validation {
    condition     = alltrue([for count in values(var.reserved_concurrency) : count >= 1 && floor(count) == count])
    error_message = "A reserved concurrency is a whole number, at least 1: with 0 a function never runs."
  }
  validation {
    condition     = lookup(var.reserved_concurrency, "process", 5) >= 5
    error_message = "process reads two queues, and each of them needs 2: reserve 5 at least."
  }
}

variable "raw_batch_window_seconds" {
  description = "Seconds that SQS gathers raw objects for one call of process, 0 to 300. More is cheaper and later."
  type        = number
  default     = 1

  validation {
    condition     = var.raw_batch_window_seconds >= 0 && var.raw_batch_window_seconds <= 300
    error_message = "0 to 300 seconds."
  }
}

variable "enable_simulator" {
  description = "Whether the simulator of the config runs every 5 minutes."
  type        = bool
  default     = false
}

# --- What costs without traffic. Prices: us-east-1, list, a month.

variable "enable_guardduty" {
  description = "GuardDuty with S3 protection: 4.00 USD per million management events and 0.80 per million data events; a quiet account pays about 1 to 5 USD a month. One detector an account and region: leave it off where there is one."
  type        = bool
  default     = false
}

variable "enable_malware_protection" {
  description = "GuardDuty Malware Protection for uploads into the raw bucket: nothing without traffic, 0.09 USD a GB and 0.215 per 1,000 objects."
  type        = bool
  default     = false
}

variable "enable_vpc" {
  description = "Runs the functions that need no internet in private subnets, with endpoints for what they call: 29.20 USD a month (2 interface endpoints in 2 zones at 7.30); those of S3 and DynamoDB are free. No NAT."
  type        = bool
  default     = false
}

variable "vpc_cidr" {
  description = "Addresses of the VPC of enable_vpc, /16 to /24."
  type        = string
  default     = "10.60.0.0/20"

  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 2, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 24, false)
    error_message = "A CIDR block of /16 to /24, such as 10.60.0.0/20."
  }
}

variable "enable_replication" {
  description = "Copies the raw, quarantine and curated buckets to replica_region: 1.00 USD a month for the key there, then 0.023 USD a GB-month stored and 0.02 a GB moved."
  type        = bool
  default     = false
}

variable "enable_pipeline" {
  description = "CodePipeline and CodeBuild that deploy from inside AWS: 1.00 USD a month for the pipeline, and 0.0034 a build minute."
  type        = bool
  default     = false
}

variable "enable_alarms" {
  description = "CloudWatch alarms on dead letters, age, errors, throttles and latency: 0.10 USD a month each, 24 of them: 2.40."
  type        = bool
  default     = true
}

variable "enable_composite_alarm" {
  description = "One alarm that says whether anything is wrong: 0.50 USD a month. Needs enable_alarms."
  type        = bool
  default     = true
}

variable "enable_dashboard" {
  description = "CloudWatch dashboard: 3.00 USD a month; the first three of an account are free."
  type        = bool
  default     = true
}

# --- What costs nothing, or only with traffic.

variable "enable_audit_trail" {
  description = "CloudTrail with the data events of the buckets: 1.00 USD per million; the first trail's management events are free."
  type        = bool
  default     = true
}

variable "enable_tracing_rules" {
  description = "X-Ray rule that traces 1 of 100 requests, and a group of the slow and failed ones. Without it X-Ray traces 5 of 100."
  type        = bool
  default     = true
}

variable "enable_budget" {
  description = "A monthly budget that tells failure_emails at 80% and when 100% is forecast. Free."
  type        = bool
  default     = true
}

variable "budget_usd_monthly" {
  description = "Monthly limit of the budget in USD, for what is tagged with this stage (the tag `stage` must be active for cost allocation)."
  type        = number
  default     = 25

  validation {
    condition     = var.budget_usd_monthly >= 1
    error_message = "A budget is at least 1 USD."
  }
}

variable "enable_event_sources" {
  description = "Lets SQS call the functions. Off: messages wait in the queues, for maintenance or for a driver that plays Lambda."
  type        = bool
  default     = true
}

variable "enable_bucket_policies" {
  description = "Bucket policies that refuse whatever is not TLS 1.2. Off only where an emulator ignores conditions."
  type        = bool
  default     = true
}

variable "enable_redrive_allow_policy" {
  description = "Says which queues may use a dead-letter queue."
  type        = bool
  default     = true
}

variable "manage_gateway_logging_role" {
  description = "Sets the role with which API Gateway writes logs. An account and region has one: true in one stage only."
  type        = bool
  default     = true
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds every role made here; infra/bootstrap prints it and its deploy role makes no role without. Null: no boundary."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null ? true : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.permissions_boundary_arn))
    error_message = "The ARN of an IAM policy."
  }
}

variable "pipeline" {
  description = "What enable_pipeline deploys: repository (owner/name) and branch on GitHub, and the bucket, key, lock table and region of the state (the region of the bootstrap stack, by default this one); path of the config, and a stream, an event and a condition for the smoke test (by default the quickstart's)."
  type = object({
    repository   = string
    branch       = optional(string, "main")
    state_bucket = string
    state_key    = string
    lock_table   = string
    state_region = optional(string)
    config       = optional(string, "eventpulse.config.ts")
    smoke        = optional(object({ stream = string, event = string, where = string }))
  })
  default = null

  validation {
    condition     = var.pipeline != null || !var.enable_pipeline
    error_message = "enable_pipeline needs pipeline: which repository, branch and state."
  }
  validation {
    condition     = var.pipeline == null ? true : can(regex("^[\\w.-]+/[\\w.-]+$", var.pipeline.repository))
    error_message = "The repository is owner/name."
  }
  validation {
    condition     = var.pipeline == null ? true : can(regex("^[\\w.-]+(/[\\w.-]+)*$", var.pipeline.config))
    error_message = "The config is a path within the repository."
  }
}

variable "emulator" {
  description = "Talks to an emulator of AWS: no checks of credentials and region, path-style S3. The address comes from AWS_ENDPOINT_URL."
  type        = bool
  default     = false
}

variable "max_retries" {
  description = "How often the provider repeats a refused call, 0 to 25. 2 against an emulator, where what is missing else looks like a hang."
  type        = number
  default     = 25

  validation {
    condition     = var.max_retries >= 0 && var.max_retries <= 25
    error_message = "0 to 25."
  }
}
