import type { SimulatorDefinition } from "../../../model/definition.ts";
import { tenantDefault } from "../../../model/glossary.ts";
import { accept } from "../../../pipeline/ingest/accept.ts";
import { simulateEvents } from "../../../pipeline/ingest/simulate.ts";
import type { Contract } from "../../../pipeline/process/contract.ts";
import type { RawLog } from "../../../ports/raw-log.ts";
import type { LambdaBundle, LambdaContext } from "./lambda-bundle.ts";
import { openObjects, openStage } from "./stage.ts";

/** Of a scheduled event, what matters here. */
interface Tick {
  /** RFC 3339; the time that the schedule meant, the same when it is delivered again. */
  readonly time?: string;
}

/** Runs every simulator of the config once. Events of one tick are the same ones when the tick comes twice. */
export function lambdaHandler(bundle: LambdaBundle) {
  const stage = openStage(bundle);
  const { raw } = openObjects(stage);
  return (tick: Tick, { awsRequestId }: LambdaContext): Promise<void> =>
    stage.telemetry.during(awsRequestId, async () => {
      const time = Date.parse(tick.time ?? "");
      const now = Number.isNaN(time) ? Date.now() : time;
      for (const source of stage.project.sources) {
        const contract = source.kind === "simulator" ? stage.contracts.get(source.stream) : undefined;
        if (source.kind === "simulator" && contract !== undefined) await simulate(raw, source, contract, now);
      }
    });
}

async function simulate(
  raw: Pick<RawLog, "append">,
  source: SimulatorDefinition,
  contract: Contract,
  now: number,
): Promise<void> {
  if (contract.jsonSchema === null) return;
  const index = Math.floor(now / source.everyMillis);
  const { events } = simulateEvents(source, contract.jsonSchema, contract.stream, { index, now });
  await accept(
    { raw },
    {
      tenant: tenantDefault,
      contract,
      door: "source",
      contentType: "application/json",
      headers: {},
      body: Buffer.from(JSON.stringify(events)),
      principal: "simulator",
      idempotencyKey: `${source.stream} ${index} ${now}`,
      receivedAt: now,
    },
  );
}
