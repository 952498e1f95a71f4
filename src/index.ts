/** The public API: what a config file imports, and the client. */
export {
  type Client,
  type ClientAnomaly,
  type ClientFailure,
  type ClientLiveMessage,
  type ClientOptions,
  type ClientRecord,
  createClient,
  type FailuresQuery,
  type RecordsQuery,
} from "./client/client.ts";
export type { InvalidItem, SendProgress, SendResult } from "./client/send-events.ts";
export { type AlertHandle, type AlertOptions, alert } from "./config/alert.ts";
export {
  type AnomalyHandle,
  type AnomalyOptions,
  anomaly,
  type Detect,
  type DriftOptions,
  type MadOptions,
  type MultivariateOptions,
  type NoveltyOptions,
  type RangeOptions,
  type RateOptions,
  type SensitivityOptions,
} from "./config/anomaly.ts";
export { type Config, type ConfigOptions, defineConfig, type EventOf, type RecordIn } from "./config/define-config.ts";
export { type DestinationHandle, email, type WebhookOptions, webhook } from "./config/destination.ts";
export type { Duration } from "./config/duration.ts";
export { type EnvironmentReference, env, type Text } from "./config/environment-reference.ts";
export { http, type SimulatorOptions, type SourceHandle, simulator } from "./config/source.ts";
export { type StreamHandle, type StreamOptions, stream } from "./config/stream.ts";
export type { StandardSchema, TransformContext } from "./model/definition.ts";
export type { Detector, DetectorPoint, Judgement, SilencePoint, Verdict } from "./model/detector.ts";
export { type ErrorCode, type ErrorDetail, EventPulseError } from "./model/error.ts";
export type { RecipeFailure, RecipeFunction } from "./model/recipe.ts";
