import { hash } from "node:crypto";
import { identityHash53 } from "../../model/identity.ts";
import type { ItemKey } from "./item.ts";

/**
 * Names of everything in the table, in one place. No partition holds more than one key's worth of traffic: what many writers
 * touch at once is spread over shards by the hash of what is written, and readers ask all shards.
 */
export const shards = { counters: 8, rollups: 8, index: 4, failures: 4, outbox: 4, states: 4 } as const;

/** Which of `count` shards belongs to this text; the same for ever. */
export function shardOf(text: string, count: number): number {
  return Number.parseInt(hash("sha1", text, "hex").slice(0, 8), 16) % count;
}

/** 0 to count - 1, for readers. */
export function allShards(count: number): readonly number[] {
  return Array.from({ length: count }, (_, shard) => shard);
}

const timeOffset = 2 ** 46;

/** A time as text that sorts: 15 digits, also before 1970. */
export function timeText(millis: number): string {
  return String(millis + timeOffset).padStart(15, "0");
}

export function timeOfText(text: string): number {
  return Number(text.slice(0, 15)) - timeOffset;
}

/** Sort key of a list by (time, id). */
export function timeAndId(millis: number, id: string): string {
  return `${timeText(millis)}#${id}`;
}

export const itemKeys = {
  /**
   * `identity`: the last 10 bytes of a record id, unique within its stream. Most of it is in the partition, which a failing
   * event of which only the 53-bit hash is known is looked up by; the sort key tells apart those that have the hash in common.
   */
  record: (tenant: string, stream: string, identity: Uint8Array): ItemKey => ({
    pk: itemKeys.recordPartition(tenant, stream, identityHash53(identity)),
    sk: Buffer.from(identity.subarray(0, 4)).toString("base64url"),
  }),
  recordPartition: (tenant: string, stream: string, identityHash: number): string =>
    `R#${tenant}#${stream}#${identityHash.toString(36)}`,
  /** Pages of record ids by event time: one partition a day and shard. */
  indexPartition: (tenant: string, stream: string, day: number, shard: number) =>
    `X#${tenant}#${stream}#${timeText(day)}#${shard}`,
  /** Which days a stream has records in; sort key `timeText` of the day. */
  days: (tenant: string, stream: string) => `D#${tenant}#${stream}`,
  /** The outcome of a raw object. */
  marker: (rawKey: string): ItemKey => ({ pk: `O#${rawKey}`, sk: "M" }),
  /** How far the commit of an outcome in several transactions has come. */
  progress: (rawKey: string, subject: string): ItemKey => ({ pk: `O#${rawKey}`, sk: `Q#${subject}` }),
  eventAttempt: (rawKey: string, index: number): ItemKey => ({ pk: `O#${rawKey}`, sk: `E#${index}` }),
  /** Minutes whose rollups a replacement of records of this object has still to count again. */
  recount: (rawKey: string, id: string): ItemKey => ({ pk: `O#${rawKey}`, sk: `R#${id}` }),
  /** Accepted and not committed yet; sort key: the raw key. */
  pending: (rawKey: string): ItemKey => ({ pk: `P#${shardOf(rawKey, shards.outbox)}`, sk: rawKey }),
  pendingPartition: (shard: number) => `P#${shard}`,
  counters: (tenant: string, stream: string, shard: number): ItemKey => ({
    pk: `C#${tenant}#${stream}#${shard}`,
    sk: "C",
  }),
  /** Of all numeric fields of a stream in one minute. One partition a month (30 days) and shard. */
  rollup: (tenant: string, stream: string, minute: number, shard: number): ItemKey => ({
    pk: `U#${tenant}#${stream}#${timeText(Math.floor(minute / rollupPeriodMillis) * rollupPeriodMillis)}#${shard}`,
    sk: timeText(minute),
  }),
  state: (tenant: string, rule: string, key: string): ItemKey => ({ pk: `S#${tenant}#${rule}#${key}`, sk: "S" }),
  /** How many anomalies of a rule and key people call false positives. Beside the state, so that no commit of one waits for the other. */
  falsePositives: (tenant: string, rule: string, key: string): ItemKey => ({
    pk: `S#${tenant}#${rule}#${key}`,
    sk: "F",
  }),
  /** Since when it is known without a break that nothing came. */
  silenceWatch: { pk: "S", sk: "W" },
  anomaly: (tenant: string, id: string): ItemKey => ({ pk: `A#${tenant}#${id}`, sk: "A" }),
  failure: (id: string): ItemKey => ({ pk: `F#${id}`, sk: "F" }),
  failurePayload: (id: string): ItemKey => ({ pk: `F#${id}`, sk: "P" }),
  /** The failure that an event, by what the client said identifies it and by its content, was last written as. */
  waiting: (tenant: string, stream: string, identity: number, contentHash: number): ItemKey => ({
    pk: `W#${tenant}#${stream}#${identity}#${contentHash}`,
    sk: "W",
  }),
  /** Failures that one raw object brought, by when they expire. `first`: the first of them. */
  failureExpiry: (expiresAt: number, first: string): ItemKey => ({
    pk: `Z#${shardOf(first, shards.failures)}`,
    sk: timeAndId(expiresAt, first),
  }),
  failureExpiryPartition: (shard: number) => `Z#${shard}`,
  issue: (tenant: string, id: string): ItemKey => ({ pk: `I#${tenant}#${id}`, sk: "I" }),
  issueHour: (tenant: string, id: string, hour: number): ItemKey => ({
    pk: `I#${tenant}#${id}`,
    sk: `H#${timeText(hour)}`,
  }),
  job: (id: string): ItemKey => ({ pk: `J#${id}`, sk: "J" }),
  /** What does not change of a job, and its samples: both may be long, and are not written with each step. */
  jobDefinition: (id: string): ItemKey => ({ pk: `J#${id}`, sk: "D" }),
  jobSamples: (id: string): ItemKey => ({ pk: `J#${id}`, sk: "S" }),
  /** A step whose items are tried one by one, because it ended the process. */
  jobTrial: (id: string): ItemKey => ({ pk: `J#${id}`, sk: "W" }),
  /** A slice of a job's frozen list. Each in a partition of its own: a million items are written at once. */
  jobItems: (list: string, slice: number): ItemKey => ({ pk: `J#${list}#${slice}`, sk: "T" }),
  audit: (tenant: string, sequence: number): ItemKey => ({ pk: `L#${tenant}`, sk: String(sequence).padStart(15, "0") }),
  notification: (id: string): ItemKey => ({ pk: `N#${id}`, sk: "N" }),
  notificationGroup: (tenant: string, name: string): ItemKey => ({ pk: `G#${tenant}#${name}`, sk: "G" }),
  /** Streams that ever were in force; sort key: the stream. */
  streams: (tenant: string) => `V#${tenant}`,
  contract: (tenant: string, stream: string, version: string): ItemKey => ({
    pk: `V#${tenant}#${stream}`,
    sk: version,
  }),
  work: (id: string): ItemKey => ({ pk: `B#${shardOf(id, shards.outbox)}`, sk: id }),
  workPartition: (shard: number) => `B#${shard}`,
} as const;

export const rollupPeriodMillis = 30 * 24 * 60 * 60 * 1000;

/** Partitions of the list indexes. `g1`: all of a kind, `g2`: the part of it that is asked for most. */
export const listKeys = {
  failures: (tenant: string, shard: number) => `F#${tenant}#${shard}`,
  /** `g2` */
  failuresOfIssue: (tenant: string, fingerprint: string, shard: number) => `F#${tenant}#${fingerprint}#${shard}`,
  issues: (tenant: string) => `I#${tenant}`,
  /** `g2` */
  issuesUnnoticed: "I",
  /** `g2`, by when their detectors are to be asked although nothing came. */
  statesDue: (shard: number) => `S#${shard}`,
  anomalies: (tenant: string) => `A#${tenant}`,
  /** `g2` */
  anomaliesOfField: (tenant: string, stream: string, field: string) => `A#${tenant}#${stream}#${field}`,
  jobs: (tenant: string) => `J#${tenant}`,
  notifications: (tenant: string) => `N#${tenant}`,
  /** `g2`, by when they are due. */
  notificationsPending: "N#pending",
  /** `g1` of markers: keys of raw objects whose outcome is committed, by stream; sort key: the raw key's day and place. */
  rawKeys: (tenant: string, stream: string) => `O#${tenant}#${stream}`,
} as const;
