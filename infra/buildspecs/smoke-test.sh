#!/usr/bin/env bash
# One event in, the same event out, within two minutes. EVENTPULSE_URL and EVENTPULSE_KEY say where. SMOKE_STREAM and SMOKE_EVENT
# are a stream of the deployed config and an event that fits it, SMOKE_WHERE a condition that finds it; the quickstart's by default.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
humidity="40.$(date +%s)"
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
stream=${SMOKE_STREAM:-readings}
event=${SMOKE_EVENT:-"{\"device\":\"cellar\",\"temperature\":21,\"humidity\":${humidity},\"at\":\"${now}\"}"}
where=${SMOKE_WHERE:-"humidity eq ${humidity}"}

printf '%s\n' "$event" | node bin/eventpulse.js send "$stream" --format ndjson
for _ in $(seq 24); do
  if found=$(node bin/eventpulse.js query "$stream" --where "$where" --limit 1 --json) && [[ -n $found ]]; then
    printf '%s\n' "$found"
    exit 0
  fi
  sleep 5
done
echo "The event was accepted, and is not to be found after two minutes: look at the queues and their dead letters." >&2
exit 1
