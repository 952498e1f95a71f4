/**
 * The words of EventPulse, once. Every other file uses them in these senses.
 *
 * - **stream**: a named kind of event with a contract (schema), a transform, anomaly rules and a retention.
 * - **event**: one JSON object in CloudEvents 1.0 terms: `id`, `source`, `type`, `time`, `data`, plus tenant and received time.
 * - **door**: a way in: `http`, `upload`, `source` (scheduled pull or simulator).
 * - **raw object**: an immutable batch of accepted events, byte for byte; the unit of processing and of replay.
 * - **record**: the validated, transformed result of one event.
 * - **outcome**: all that processing one raw object produced; committed at once.
 * - **anomaly**: what a rule found unusual in a record, or in a period: value, expected band, score, why.
 * - **incident**: the unusual points of one rule and key that follow each other; what one alert is about.
 * - **failure**: what could not be processed: `quarantined` (needs an edit or a code change) or `dead` (retries exhausted).
 * - **issue**: failures with one fingerprint (stream, stage, code, pointer, contract version).
 * - **edit, recipe**: a kept JSON Patch of one failed event; steps or a function that mend many.
 * - **job**: one replay, discard or reprocessing of a frozen list of items, in steps.
 * - **balance**: `accepted = stored + dropped + quarantined + dead + in flight`, counted in events. Duplicates of an event
 *   are one event, so they are counted beside the balance, not in it.
 * - **tenant, principal**: whose data; who asks.
 */
export type Door = "http" | "upload" | "source";
export const doors = ["http", "upload", "source"] as const satisfies readonly Door[];

/** The tenant of the first key, of simulators and of who needs no key. */
export const tenantDefault = "default";
