#!/usr/bin/env bash
# Builds the zips of EVENTPULSE_CONFIG, with what TF_VAR_environment (a JSON object) gives to the functions set here as well: the
# config is checked, and reads it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [[ -n ${TF_VAR_environment:-} ]]; then
  while IFS= read -r -d '' setting; do export "${setting?}"; done \
    < <(jq -j 'to_entries[] | "\(.key)=\(.value)\u0000"' <<<"$TF_VAR_environment")
fi
npm run build
node bin/eventpulse.js build --config "$EVENTPULSE_CONFIG"
