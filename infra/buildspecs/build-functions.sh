#!/usr/bin/env bash
# Builds the zips of EVENTPULSE_CONFIG. It is checked, and reads its environment variables: those that the functions of STAGE get, from
# its .tfvars or, where these set none, from TF_VAR_environment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=$(mktemp -d)
cat > "$folder/main.tf" <<'TERRAFORM'
variable "environment" {
  type    = map(string)
  default = {}
}
output "environment" {
  value = var.environment
}
TERRAFORM
# Terraform alone knows its own syntax. The other variables of the file are of no concern here; nothing is asked of AWS.
(
  cd "$folder"
  terraform init -input=false > init.log
  terraform apply -input=false -auto-approve -compact-warnings -var-file="$OLDPWD/infra/environments/$STAGE.tfvars" > apply.log
  terraform output -json environment > environment.json
)
while IFS= read -r -d '' setting; do export "${setting?}"; done \
  < <(jq -j 'to_entries[] | "\(.key)=\(.value)\u0000"' "$folder/environment.json")
rm -r "$folder"
npm run build
node bin/eventpulse.js build --config "$EVENTPULSE_CONFIG"
