/**
 * The schema of the embedded database, one step per version: `PRAGMA user_version` counts the steps that a file has been
 * through. A step is never changed after it was released; a new one is appended.
 *
 * - `records` has no rowid: its key (stream, id) is time-ordered, so inserts append and a page of records is one range.
 *   It refers to its raw object by number (16 bytes less a row than the key) and takes the received time from there.
 * - `objects` is the marker of the outcome: a row with `committed_at` says that the first delivery was committed. A row
 *   without is only the number of a key (a failure may be retried without its object ever having had an outcome). Its key
 *   does not name its tenant; `stream` does.
 * - `identities` is written only for events that the client identified: keys are random, so each of its pages would be
 *   written again and again. New ones gather in `identities_recent` and move over in the order of their keys.
 * - `failure_counters` only grow, for metrics: the sums of `issues` fall when retention removes failures.
 * - `failures` has what lists, jobs and retries look at and change, `failure_details` what is read with one failure: a job
 *   rewrites a row for each failure that it ends, and then a third of it.
 * - `job_items` has the frozen list of a job in slices that never change, `job_steps` what became of the items of one step.
 * - `record_batches` lists what expires together: an index on an expiry column would cost every record a second row.
 */
export const databaseSchemaSteps: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE streams (
    id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (tenant, name)
  ) STRICT;

  CREATE TABLE counters (
    stream INTEGER PRIMARY KEY, received INTEGER NOT NULL, stored INTEGER NOT NULL, dropped INTEGER NOT NULL,
    quarantined INTEGER NOT NULL, dead INTEGER NOT NULL, retrying INTEGER NOT NULL, duplicates INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE objects (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, stream INTEGER NOT NULL, received_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, committed_at INTEGER, stored INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0, quarantined INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0,
    retrying INTEGER NOT NULL DEFAULT 0, duplicates INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX objects_by_expiry ON objects (expires_at);

  CREATE TABLE event_attempts (
    object INTEGER NOT NULL, raw_index INTEGER NOT NULL, attempt INTEGER NOT NULL, done INTEGER NOT NULL,
    PRIMARY KEY (object, raw_index)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE records (
    stream INTEGER NOT NULL, id BLOB NOT NULL, object INTEGER NOT NULL, raw_index INTEGER NOT NULL,
    event_id TEXT, attributes TEXT, data TEXT NOT NULL, PRIMARY KEY (stream, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE identities (
    hash INTEGER PRIMARY KEY, stream INTEGER NOT NULL, record_id BLOB NOT NULL, content INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE identities_recent (
    hash INTEGER PRIMARY KEY, stream INTEGER NOT NULL, record_id BLOB NOT NULL, content INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE record_batches (
    id INTEGER PRIMARY KEY, expires_at INTEGER NOT NULL, stream INTEGER NOT NULL,
    record_ids BLOB NOT NULL, identity_hashes BLOB
  ) STRICT;
  CREATE INDEX record_batches_by_expiry ON record_batches (expires_at);

  CREATE TABLE rollups (
    stream INTEGER NOT NULL, field TEXT NOT NULL, minute INTEGER NOT NULL, count INTEGER NOT NULL,
    min REAL, max REAL, sum REAL, expires_at INTEGER NOT NULL, PRIMARY KEY (stream, field, minute)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX rollups_by_expiry ON rollups (expires_at);

  CREATE TABLE detector_states (
    tenant TEXT NOT NULL, rule TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL,
    due_at INTEGER, UNIQUE (tenant, rule, key)
  ) STRICT;
  CREATE INDEX detector_states_by_due ON detector_states (due_at) WHERE due_at IS NOT NULL;

  CREATE TABLE false_positives (
    tenant TEXT NOT NULL, rule TEXT NOT NULL, key TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (tenant, rule, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE anomalies (
    id TEXT NOT NULL, tenant TEXT NOT NULL, stream INTEGER NOT NULL, rule TEXT NOT NULL, field TEXT NOT NULL,
    key TEXT NOT NULL, time INTEGER NOT NULL, value ANY NOT NULL, score REAL NOT NULL, expected_low REAL,
    expected_high REAL, why TEXT NOT NULL, record_id BLOB, incident TEXT NOT NULL, severity TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open', note TEXT,
    version INTEGER NOT NULL DEFAULT 1, expires_at INTEGER NOT NULL, UNIQUE (tenant, id)
  ) STRICT;
  CREATE INDEX anomalies_by_time ON anomalies (tenant, time, id);
  CREATE INDEX anomalies_by_stream ON anomalies (stream, time, id);
  CREATE INDEX anomalies_by_rule ON anomalies (tenant, rule, time, id);
  CREATE INDEX anomalies_by_incident ON anomalies (tenant, incident, time, id);
  CREATE INDEX anomalies_by_severity ON anomalies (tenant, severity, time, id);
  CREATE INDEX anomalies_by_state ON anomalies (tenant, state, time, id);
  CREATE INDEX anomalies_by_expiry ON anomalies (expires_at);

  CREATE TABLE failures (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, stream INTEGER NOT NULL,
    state TEXT NOT NULL, class TEXT NOT NULL, stage TEXT NOT NULL, code TEXT NOT NULL, attempts INTEGER NOT NULL,
    first_seen_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    fingerprint TEXT NOT NULL, recoverable INTEGER NOT NULL, raw_key TEXT NOT NULL, raw_index INTEGER NOT NULL,
    identity INTEGER, content_hash INTEGER NOT NULL, payload_bytes INTEGER NOT NULL,
    edit TEXT, job_id TEXT, record_id BLOB, note TEXT, version INTEGER NOT NULL DEFAULT 1
  ) STRICT;
  CREATE TABLE failure_details (
    failure INTEGER PRIMARY KEY, door TEXT NOT NULL, errors TEXT NOT NULL, trace_id TEXT, principal TEXT NOT NULL,
    contract_version TEXT NOT NULL, recoverable_why TEXT NOT NULL, event_id TEXT, content_type TEXT NOT NULL,
    headers TEXT NOT NULL, payload_sha256 TEXT NOT NULL, payload BLOB NOT NULL
  ) STRICT;
  CREATE INDEX failures_by_time ON failures (tenant, last_seen_at, id);
  CREATE INDEX failures_by_stream ON failures (stream, last_seen_at, id);
  CREATE INDEX failures_by_state ON failures (tenant, state, last_seen_at, id);
  CREATE INDEX failures_by_fingerprint ON failures (tenant, fingerprint, last_seen_at, id);
  CREATE INDEX failures_by_identity ON failures (identity) WHERE identity IS NOT NULL;
  CREATE INDEX failures_retrying ON failures (raw_key) WHERE state = 'retrying';
  CREATE INDEX failures_by_expiry ON failures (expires_at);
  CREATE INDEX failures_waiting ON failures (stream, first_seen_at) WHERE state IN ('quarantined', 'dead');

  CREATE TABLE issues (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, tenant TEXT NOT NULL, stream INTEGER NOT NULL,
    fingerprint TEXT NOT NULL, class TEXT NOT NULL, stage TEXT NOT NULL, code TEXT NOT NULL, pointer TEXT NOT NULL,
    detail TEXT NOT NULL, contract_version TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open', owner TEXT, note TEXT,
    first_seen_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL, total INTEGER NOT NULL DEFAULT 0,
    waiting INTEGER NOT NULL DEFAULT 0, recovered INTEGER NOT NULL DEFAULT 0, discarded INTEGER NOT NULL DEFAULT 0,
    example_id TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1, notice TEXT, unnoticed INTEGER NOT NULL DEFAULT 1,
    UNIQUE (tenant, id)
  ) STRICT;
  CREATE INDEX issues_by_time ON issues (tenant, last_seen_at, id);
  CREATE INDEX issues_unnoticed ON issues (unnoticed) WHERE unnoticed = 1;
  CREATE TABLE failure_counters (
    stream INTEGER PRIMARY KEY, written INTEGER NOT NULL, drained INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE issue_hours (
    issue INTEGER NOT NULL, hour INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (issue, hour)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE jobs (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, action TEXT NOT NULL, mode TEXT NOT NULL,
    selection TEXT NOT NULL, mending TEXT, canary INTEGER, rate_per_second REAL, created_by TEXT NOT NULL, reason TEXT,
    state TEXT NOT NULL, state_reason TEXT, items INTEGER NOT NULL, results TEXT NOT NULL DEFAULT '{}',
    reasons TEXT NOT NULL DEFAULT '[]', samples TEXT NOT NULL DEFAULT '[]', created_at INTEGER NOT NULL,
    starts_at INTEGER NOT NULL, finished_at INTEGER, step INTEGER NOT NULL DEFAULT 1, version INTEGER NOT NULL DEFAULT 1
  ) STRICT;
  CREATE INDEX jobs_by_time ON jobs (tenant, created_at, id);
  CREATE TABLE job_items (
    job INTEGER NOT NULL, first_position INTEGER NOT NULL, targets TEXT NOT NULL, PRIMARY KEY (job, first_position)
  ) STRICT;
  CREATE TABLE job_steps (
    job INTEGER NOT NULL, last_position INTEGER NOT NULL, first_position INTEGER NOT NULL, results TEXT NOT NULL,
    PRIMARY KEY (job, last_position)
  ) STRICT;

  CREATE TABLE audit (
    tenant TEXT NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    target TEXT NOT NULL, reason TEXT, hash_before TEXT, hash_after TEXT, details TEXT NOT NULL,
    previous_hash TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (tenant, sequence)
  ) STRICT;

  CREATE TABLE contracts (
    tenant TEXT NOT NULL, stream TEXT NOT NULL, version TEXT NOT NULL, announced TEXT, json_schema TEXT,
    first_seen_at INTEGER NOT NULL, PRIMARY KEY (tenant, stream, version)
  ) STRICT;

  CREATE TABLE notifications (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, topic TEXT NOT NULL,
    stream TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, data TEXT NOT NULL, destinations TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL, created_at INTEGER NOT NULL, due_at INTEGER NOT NULL, suppressed INTEGER NOT NULL,
    last_error TEXT
  ) STRICT;
  CREATE INDEX notifications_by_time ON notifications (tenant, created_at, id);
  CREATE INDEX notifications_by_expiry ON notifications (created_at);
  CREATE INDEX notifications_pending ON notifications (created_at, id) WHERE state = 'pending';
  CREATE TABLE notification_groups (
    tenant TEXT NOT NULL, name TEXT NOT NULL, last_created_at INTEGER NOT NULL, suppressed INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX notification_groups_by_time ON notification_groups (last_created_at);

  CREATE TABLE work (
    id INTEGER PRIMARY KEY AUTOINCREMENT, work TEXT NOT NULL, raw_key TEXT, due_at INTEGER NOT NULL,
    receives INTEGER NOT NULL DEFAULT 0, receipt TEXT
  ) STRICT;
  CREATE INDEX work_by_due ON work (due_at);
  CREATE INDEX work_by_raw_key ON work (raw_key) WHERE raw_key IS NOT NULL;
  `,
];
