/**
 * Request bodies of about 330 bytes an event whose ids and times are written into place before each request: every event
 * is a new one, and making it costs the client next to nothing beside the server that is measured.
 */
const idDigits = 12;

function sample(index: number): string {
  return JSON.stringify({
    id: "0".repeat(idDigits),
    at: "2026-01-01T00:00:00.000Z",
    device: `sensor-${String(index % 100).padStart(3, "0")}`,
    temperature: 18 + (index % 70) / 10,
    humidity: 40 + (index % 23),
    pressure: 1013.2,
    battery: 0.87,
    firmware: "2.14.3-stable",
    site: { name: "north-yard", building: "B2", floor: 3, zone: "b" },
    tags: ["outdoor", "calibrated"],
    note: "routine reading, no operator present",
  });
}

export interface SampleBody {
  readonly bytes: Buffer;
  /** Gives every event a new id and the current time. */
  renew(): void;
}

/** NDJSON of `events` events; a single event is plain JSON. `prefix` (4 digits) keeps the ids of several clients apart. */
export function sampleBody(events: number, prefix: string): SampleBody {
  const bytes = Buffer.from(Array.from({ length: events }, (_, index) => sample(index)).join("\n"));
  const offsets: number[] = [];
  for (let at = bytes.indexOf('"id":"'); at >= 0; at = bytes.indexOf('"id":"', at + 1)) offsets.push(at + 6);
  let next = 0;
  return {
    bytes,
    renew() {
      const time = new Date().toISOString();
      for (const offset of offsets) {
        bytes.write(prefix + String(next++).padStart(idDigits - prefix.length, "0"), offset, "latin1");
        bytes.write(time, offset + idDigits + 8, "latin1");
      }
    },
  };
}
