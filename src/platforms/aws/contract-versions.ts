import type { ContractVersion } from "../../model/contract-version.ts";
import type { StreamDefinition } from "../../model/definition.ts";
import { entityOf, type ItemKey } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import type { Table } from "./table.ts";
import { transaction, type UnitOfWork } from "./unit-of-work.ts";

/** Versions of one stream that are listed: more than anybody looks back at. */
const versionsMax = 100;

/** What is needed of a compiled contract. */
export interface DeployedContract extends Pick<ContractVersion, "version" | "jsonSchema"> {
  readonly stream: Pick<StreamDefinition, "name" | "version">;
}

/** The contracts that are or were in force. */
export interface ContractVersions {
  /** The newest versions of a stream's contract, newest first, up to 100. */
  list(tenant: string, stream: string): Promise<readonly ContractVersion[]>;
  /** Streams that are or were in the config. */
  streams(tenant: string): Promise<readonly string[]>;
  /**
   * Notes the contracts that come into force, at each start: the newest entry of a stream is the one in force, also when an
   * older one comes back. When nothing has changed, that is one read a stream.
   */
  record(tenant: string, contracts: Iterable<DeployedContract>, now: number): Promise<void>;
}

/** What is in force now: read at each cold start, so without the schema. */
type InForce = Pick<ContractVersion, "version" | "announced" | "firstSeenAt">;

/** Contract versions in the table. */
export function dynamoContractVersions(table: Table): ContractVersions {
  return {
    async list(tenant, stream) {
      const versions: ContractVersion[] = [];
      const current = inForceKey(tenant, stream);
      for await (const item of table.queryAll({ index: null, partition: current.pk })) {
        if (item.sk !== current.sk) versions.push(entityOf(item));
      }
      return versions.sort((left, right) => right.firstSeenAt - left.firstSeenAt).slice(0, versionsMax);
    },
    async streams(tenant) {
      const names: string[] = [];
      for await (const { sk } of table.queryAll({ index: null, partition: itemKeys.streams(tenant) })) names.push(sk);
      return names;
    },
    async record(tenant, contracts, now) {
      for (const contract of contracts) {
        const item = await table.get(inForceKey(tenant, contract.stream.name));
        if (item !== null && isSame(entityOf<InForce>(item), contract)) continue;
        await transaction(table, (unit) => recordContract(unit, tenant, contract, now));
      }
    },
  };
}

async function recordContract(
  unit: UnitOfWork,
  tenant: string,
  contract: DeployedContract,
  now: number,
): Promise<void> {
  const { stream: definition, version, jsonSchema } = contract;
  const { name: stream, version: announced } = definition;
  const item = await unit.load(inForceKey(tenant, stream));
  const before = item && entityOf<InForce>(item);
  if (before !== null && isSame(before, contract)) return;
  // Two starts in one millisecond, or a clock that was set back, must not hide the newer one.
  const later = before === null ? now : Math.max(now, before.firstSeenAt + 1);
  const firstSeenAt = before?.version === version ? before.firstSeenAt : later;
  const inForce: InForce = { version, announced, firstSeenAt };
  const entry: ContractVersion = { stream, version, announced, jsonSchema, firstSeenAt };
  unit.put({ ...inForceKey(tenant, stream), j: JSON.stringify(inForce) });
  unit.put({ ...itemKeys.contract(tenant, stream, version), j: JSON.stringify(entry) });
  unit.put({ pk: itemKeys.streams(tenant), sk: stream });
}

function isSame({ version, announced }: InForce, contract: DeployedContract): boolean {
  return version === contract.version && announced === contract.stream.version;
}

/** Versions are hex digits, so this name is free. */
function inForceKey(tenant: string, stream: string): ItemKey {
  return itemKeys.contract(tenant, stream, "in-force");
}
