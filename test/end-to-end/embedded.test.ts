import { describe } from "node:test";
import { embeddedPlatform } from "./embedded-platform.ts";
import { everyScenario } from "./scenarios/every-scenario.ts";

// Most of the time is waiting for retries, so the scenarios run beside each other; each has a platform of its own.
describe("the embedded platform, end to end", { concurrency: 4 }, () => everyScenario(embeddedPlatform));
