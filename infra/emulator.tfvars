# For an emulator of AWS (moto): what it cannot do is off, each with the reason. All of it is planned by the tests.
emulator    = true
max_retries = 2
stage       = "dev"
region      = "us-east-1"
destroyable = true

# It has no calls to start a trail's logging.
enable_audit_trail = false
# It has no X-Ray groups and sampling rules.
enable_tracing_rules = false
# It has no composite alarms.
enable_composite_alarm = false
# Budgets cannot be made with notifications.
enable_budget = false
# Its Lambda runs nothing without Docker, and a mapping would then take messages away: a driver plays the mappings.
enable_event_sources = false
# It enforces bucket policies but not their conditions: "TLS only" would lock the bucket for everybody.
enable_bucket_policies = false
# SetQueueAttributes does not know RedriveAllowPolicy there.
enable_redrive_allow_policy = false
# CodePipeline needs connections and stages that it does not have.
enable_pipeline = false

# Applied for real, besides the defaults.
enable_simulator     = true
enable_guardduty     = true
enable_vpc           = true
enable_replication   = true
gateway_key_required = true
mail_from            = "events@example.com"
alert_emails         = ["alerts@example.com"]
failure_emails       = ["operations@example.com"]
