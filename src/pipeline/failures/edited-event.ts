import type { Failure } from "../../model/failure.ts";
import type { ReadEvent } from "../ingest/read-event.ts";
import { applyPatch } from "./apply-patch.ts";
import { mended } from "./failure-event.ts";

/** The event of a failure with the edit that was kept for it; without one, the event itself. Throws PATCH_INVALID. */
export function editedEvent({ edit }: Pick<Failure, "edit">, event: ReadEvent): ReadEvent {
  return edit === null ? event : mended(event, applyPatch(event.data, edit.patch));
}
