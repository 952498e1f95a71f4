import type { Clock, Database } from "./database.ts";

/** The failure log of one stream in numbers. */
export interface FailureMetrics {
  readonly stream: string;
  /** Failures that wait for somebody, or for the retry that somebody asked for. */
  readonly quarantined: number;
  readonly dead: number;
  /** Since the oldest one that is quarantined or dead was first seen; 0 when there is none. */
  readonly oldestSeconds: number;
  /** Since the data folder began; they only grow. Drained: recovered or discarded. */
  readonly written: number;
  readonly drained: number;
}

/**
 * Numbers of every stream that ever received something. Costs a scan of the issues, which are few, and one look into an
 * index per stream, whatever the number of failures. Works on a reading connection.
 */
export function failureMetrics(database: Database, clock: Clock): readonly FailureMetrics[] {
  const now = clock();
  // The class of an issue says where its failures wait: what only code can mend is dead.
  const rows = database.all<Omit<FailureMetrics, "oldestSeconds"> & { oldestAt: number | null }>(
    `WITH waiting AS (
       SELECT stream, sum(waiting) AS failures, sum(waiting * (class IN ('bug', 'transient', 'poison'))) AS dead
         FROM issues GROUP BY stream)
     SELECT name AS stream, coalesce(sum(failures - dead), 0) AS quarantined, coalesce(sum(dead), 0) AS dead,
            min((SELECT min(first_seen_at) FROM failures
                  WHERE failures.stream = streams.id AND state IN ('quarantined', 'dead'))) AS oldestAt,
            coalesce(sum(written), 0) AS written, coalesce(sum(drained), 0) AS drained
       FROM streams LEFT JOIN waiting ON waiting.stream = streams.id
         LEFT JOIN failure_counters ON failure_counters.stream = streams.id
      GROUP BY name ORDER BY name`,
  );
  return rows.map(({ oldestAt, ...row }) => ({
    ...row,
    oldestSeconds: oldestAt === null ? 0 : Math.max(0, (now - oldestAt) / 1000),
  }));
}
