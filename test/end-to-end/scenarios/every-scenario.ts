import { describe, test } from "node:test";
import { lackMark } from "../../../scripts/aws-services/parity-table.ts";
import type { Capability, Platform } from "../running.ts";
import { acceptingScenarios } from "./accepting.ts";
import { alertingScenarios } from "./alerting.ts";
import { backtestingScenarios } from "./backtesting.ts";
import { cloudEventsScenarios } from "./cloud-events.ts";
import { detectingScenarios } from "./detecting.ts";
import { judgingUploadsScenarios } from "./judging-uploads.ts";
import { mendingScenarios } from "./mending.ts";
import { queryingScenarios } from "./querying.ts";
import { replayingScenarios } from "./replaying.ts";
import { simulatingScenarios } from "./simulating.ts";
import { tenantSeparationScenarios } from "./tenant-separation.ts";
import { transformingScenarios } from "./transforming.ts";
import { uploadingScenarios } from "./uploading.ts";
import { watchingScenarios } from "./watching.ts";

interface Scenarios {
  readonly run: (platform: Platform) => void;
  /** The name of its tests, for a platform that lacks what they need. */
  readonly name: string;
  readonly needs: readonly Capability[];
}

const scenarios: readonly Scenarios[] = [
  { name: "transforming", run: transformingScenarios, needs: [] },
  { name: "alerting", run: alertingScenarios, needs: [] },
  { name: "rules of every kind", run: detectingScenarios, needs: [] },
  { name: "backtesting", run: backtestingScenarios, needs: [] },
  { name: "mending", run: mendingScenarios, needs: [] },
  { name: "replaying", run: replayingScenarios, needs: [] },
  { name: "accepting", run: acceptingScenarios, needs: [] },
  { name: "CloudEvents", run: cloudEventsScenarios, needs: [] },
  { name: "uploading", run: uploadingScenarios, needs: [] },
  { name: "judging a file while it is uploaded", run: judgingUploadsScenarios, needs: ["upload-door"] },
  { name: "querying", run: queryingScenarios, needs: [] },
  { name: "simulating", run: simulatingScenarios, needs: [] },
  { name: "tenant separation", run: tenantSeparationScenarios, needs: [] },
  { name: "watching live", run: watchingScenarios, needs: ["live-stream"] },
];

/** Declares every scenario on a platform. What it lacks is declared too, by one test that has the reason in its name. */
export function everyScenario(platform: Platform): void {
  for (const { name, run, needs } of scenarios) {
    const reason = needs.map((need) => platform.lacks[need]).find((lack) => lack !== undefined);
    if (reason === undefined) run(platform);
    else describe(name, () => test(`${lackMark}${reason}`, () => undefined));
  }
}
