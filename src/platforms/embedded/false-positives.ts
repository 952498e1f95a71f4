import type { Database } from "./database.ts";

/** How many anomalies of a rule and key people call false positives. */
export function readFalsePositives(database: Database, tenant: string, rule: string, key: string): number {
  const sql = "SELECT count FROM false_positives WHERE tenant = ? AND rule = ? AND key = ?";
  return database.get<{ count: number }>(sql, tenant, rule, key)?.count ?? 0;
}

export function writeFalsePositives(
  database: Database,
  tenant: string,
  rule: string,
  key: string,
  count: number,
): void {
  const sql = "INSERT INTO false_positives VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = excluded.count";
  database.run(sql, tenant, rule, key, count);
}
