import { describe } from "node:test";
import { embeddedPlatform } from "./embedded-platform.ts";
import { acceptingScenarios } from "./scenarios/accepting.ts";
import { alertingScenarios } from "./scenarios/alerting.ts";
import { cloudEventsScenarios } from "./scenarios/cloud-events.ts";
import { mendingScenarios } from "./scenarios/mending.ts";
import { queryingScenarios } from "./scenarios/querying.ts";
import { replayingScenarios } from "./scenarios/replaying.ts";
import { transformingScenarios } from "./scenarios/transforming.ts";
import { uploadingScenarios } from "./scenarios/uploading.ts";
import { watchingScenarios } from "./scenarios/watching.ts";

// Most of the time is waiting for retries, so the scenarios run beside each other; each has a platform of its own.
describe("the embedded platform, end to end", { concurrency: 4 }, () => {
  transformingScenarios(embeddedPlatform);
  alertingScenarios(embeddedPlatform);
  mendingScenarios(embeddedPlatform);
  replayingScenarios(embeddedPlatform);
  acceptingScenarios(embeddedPlatform);
  cloudEventsScenarios(embeddedPlatform);
  uploadingScenarios(embeddedPlatform);
  queryingScenarios(embeddedPlatform);
  watchingScenarios(embeddedPlatform);
});
