import type { WriterPorts } from "./process-thread-client.ts";
import type { ReaderPorts } from "./query-thread-client.ts";

/** Of both threads. */
export interface StorePorts
  extends Pick<ReaderPorts, "records" | "contracts" | "notifications">,
    Pick<WriterPorts, "queue"> {
  readonly anomalies: ReaderPorts["anomalies"] & WriterPorts["anomalies"];
  readonly failures: ReaderPorts["failures"] & WriterPorts["failures"];
  readonly issues: ReaderPorts["issues"] & Pick<WriterPorts["issues"], "change">;
  readonly jobs: ReaderPorts["jobs"] & WriterPorts["jobs"];
  readonly audit: ReaderPorts["audit"] & WriterPorts["audit"];
}

/**
 * The stores as the HTTP app sees them: what reads goes to the query thread, what writes to the processing thread, the only
 * writer. `reader` is asked at each call, for the query thread starts later than the app is made.
 */
export function storePorts(writer: WriterPorts, reader: () => ReaderPorts): StorePorts {
  const { anomalies, failures, issues, jobs, audit, queue } = writer;
  return {
    queue,
    records: late(() => reader().records),
    contracts: late(() => reader().contracts),
    anomalies: joined(
      late(() => reader().anomalies),
      { annotate: anomalies.annotate },
    ),
    failures: joined(
      late(() => reader().failures),
      {
        retry: failures.retry,
        discard: failures.discard,
        edit: failures.edit,
      },
    ),
    issues: joined(
      late(() => reader().issues),
      { change: issues.change },
    ),
    jobs: joined(
      late(() => reader().jobs),
      { create: jobs.create, change: jobs.change },
    ),
    audit: joined(
      late(() => reader().audit),
      { append: audit.append },
    ),
    notifications: late(() => reader().notifications),
  };
}

type Method = (...parameters: unknown[]) => unknown;

/** A port of which each method is looked up when it is called. */
function late<Port extends object>(port: () => Port): Port {
  return new Proxy({} as Port, {
    get:
      (_, name) =>
      (...parameters: unknown[]) =>
        (Reflect.get(port(), name) as Method)(...parameters),
  });
}

/** Methods of `own` before those of `port`. */
function joined<Port extends object, Own extends object>(port: Port, own: Own): Port & Own {
  return new Proxy(own, {
    get: (target, name) => Reflect.get(Object.hasOwn(target, name) ? target : port, name),
  }) as Port & Own;
}
