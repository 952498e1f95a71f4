import type { ContractVersion } from "../../model/contract-version.ts";
import type { StreamDefinition } from "../../model/definition.ts";
import type { Database } from "./database.ts";

/** Versions of one stream that are listed: more than anybody looks back at. */
const versionsMax = 100;

interface ContractRow {
  readonly stream: string;
  readonly version: string;
  readonly announced: string | null;
  readonly json_schema: string | null;
  readonly first_seen_at: number;
}

/** What is needed of a compiled contract. */
export interface DeployedContract extends Pick<ContractVersion, "version" | "jsonSchema"> {
  readonly stream: Pick<StreamDefinition, "name" | "version">;
}

const newestFirst = "SELECT * FROM contracts WHERE tenant = ? AND stream = ? ORDER BY first_seen_at DESC LIMIT ?";

/**
 * Notes the contracts that come into force, at each start and reload: the newest row of a stream is the one in force, also
 * when an older one comes back.
 */
export function recordContractVersions(
  database: Database,
  tenant: string,
  contracts: Iterable<DeployedContract>,
  now: number,
): void {
  database.transaction(() => {
    for (const { stream: definition, version, jsonSchema } of contracts) {
      const { name: stream, version: announced } = definition;
      const inForce = database.get<ContractRow>(newestFirst, tenant, stream, 1);
      if (inForce?.version === version && inForce.announced === announced) continue;
      // Two starts in one millisecond, or a clock that was set back, must not hide the newer one.
      const firstSeenAt = inForce === null ? now : Math.max(now, inForce.first_seen_at + 1);
      database.run(
        `INSERT INTO contracts (tenant, stream, version, announced, json_schema, first_seen_at) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET announced = excluded.announced, first_seen_at = excluded.first_seen_at`,
        tenant,
        stream,
        version,
        announced,
        jsonSchema && JSON.stringify(jsonSchema),
        inForce?.version === version ? inForce.first_seen_at : firstSeenAt,
      );
    }
  });
}

/** The newest versions of a stream's contract, newest first, up to 100. Works on a reading connection too. */
export function listContractVersions(database: Database, tenant: string, stream: string): readonly ContractVersion[] {
  const rows = database.all<ContractRow>(newestFirst, tenant, stream, versionsMax);
  return rows.map((row) => ({
    stream: row.stream,
    version: row.version,
    announced: row.announced,
    jsonSchema: row.json_schema === null ? null : (JSON.parse(row.json_schema) as ContractVersion["jsonSchema"]),
    firstSeenAt: row.first_seen_at,
  }));
}
