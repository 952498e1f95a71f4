#!/usr/bin/env bash
# Connects infra/ to the state of one stage: STAGE, STATE_BUCKET, and where set STATE_KEY, LOCK_TABLE, STATE_REGION.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
arguments=(-input=false -reconfigure "-backend-config=environments/${STAGE}.s3.tfbackend" "-backend-config=bucket=${STATE_BUCKET}")
if [[ -n ${STATE_KEY:-} ]]; then arguments+=("-backend-config=key=${STATE_KEY}"); fi
if [[ -n ${LOCK_TABLE:-} ]]; then arguments+=("-backend-config=dynamodb_table=${LOCK_TABLE}"); fi
if [[ -n ${STATE_REGION:-} ]]; then arguments+=("-backend-config=region=${STATE_REGION}"); fi
terraform init "${arguments[@]}"
