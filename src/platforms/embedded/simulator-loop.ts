import type { Project, SimulatorDefinition } from "../../model/definition.ts";
import { tenantDefault } from "../../model/glossary.ts";
import { accept } from "../../pipeline/ingest/accept.ts";
import { simulateEvents } from "../../pipeline/ingest/simulate.ts";
import type { Contract } from "../../pipeline/process/contract.ts";
import type { RawLog } from "../../ports/raw-log.ts";
import { repeat } from "./repeat.ts";

export interface SimulatorLoopOptions {
  readonly raw: Pick<RawLog, "append">;
  readonly onError: (error: unknown) => void;
}

/** Runs the simulators of a config, each on its own schedule, through the same acceptance as every other door. */
export class SimulatorLoop {
  readonly #options: SimulatorLoopOptions;
  #stops: (() => Promise<void>)[] = [];
  #tick = Date.now();

  constructor(options: SimulatorLoopOptions) {
    this.#options = options;
  }

  start(project: Project, contracts: ReadonlyMap<string, Contract>): void {
    for (const source of project.sources) {
      const contract = source.kind === "simulator" ? contracts.get(source.stream) : undefined;
      if (source.kind !== "simulator" || contract === undefined) continue;
      this.#stops.push(repeat(source.everyMillis, () => this.#simulate(source, contract), this.#options.onError));
    }
  }

  /** Resolves when what is under way is done. */
  async stop(): Promise<void> {
    const stops = this.#stops;
    this.#stops = [];
    await Promise.all(stops.map((stop) => stop()));
  }

  async #simulate(source: SimulatorDefinition, contract: Contract): Promise<void> {
    if (contract.jsonSchema === null) return;
    const now = Date.now();
    const { events } = simulateEvents(source, contract.jsonSchema, contract.stream, { index: this.#tick++, now });
    await accept(this.#options, {
      tenant: tenantDefault,
      contract,
      door: "source",
      contentType: "application/json",
      headers: {},
      body: Buffer.from(JSON.stringify(events)),
      principal: "simulator",
      idempotencyKey: null,
      receivedAt: now,
    });
  }
}
