import type { AnomalyDefinition, Project } from "../../../model/definition.ts";
import type { NotificationDraft } from "../../../model/notification.ts";
import { noticeId } from "../../notify/notice-id.ts";
import { oneLine } from "../../notify/one-line.ts";

/** A rule whose detector failed on some of the records of an outcome. */
export interface RuleTrouble {
  readonly rule: string;
  /** What it said the first time. */
  readonly message: string;
  readonly records: number;
}

/** Collects what detectors of a config throw. The records are stored all the same: a rule watches them, it does not guard them. */
export class RuleTroubles {
  readonly #troubles = new Map<string, RuleTrouble>();

  note({ name }: Pick<AnomalyDefinition, "name">, error: unknown): void {
    const before = this.#troubles.get(name);
    const message = before?.message ?? (error instanceof Error ? error.message : String(error));
    this.#troubles.set(name, { rule: name, message, records: (before?.records ?? 0) + 1 });
  }

  list(): readonly RuleTrouble[] {
    return [...this.#troubles.values()];
  }
}

/** What was judged: for people (`of`), and a name that a second try at it would have, too. */
export interface TroublePlace {
  readonly tenant: string;
  readonly stream: string;
  readonly of: string;
  readonly name: string;
}

const cooldownMillis = 3_600_000;
const messageCharactersMax = 500;

/** Tells the receivers of the rule's alerts and the stream's owner, at most once an hour; in any case it is in the inbox. */
export function troubleNotices(
  project: Project,
  { tenant, stream, name, of }: TroublePlace,
  troubles: readonly RuleTrouble[],
): readonly NotificationDraft[] {
  return troubles.map(({ rule, message, records }) => {
    const alerted = project.alerts.filter(({ anomaly }) => anomaly === rule).flatMap(({ to }) => to);
    const owner = project.streams.get(stream)?.owner ?? [];
    const known = new Map([...alerted, ...owner].map((destination) => [JSON.stringify(destination), destination]));
    return {
      id: noticeId(`rule ${rule}\n${tenant}\n${name}`),
      tenant,
      topic: "rule",
      stream,
      subject: `${stream}: the rule ${rule} fails`,
      text: [
        `The detector of ${rule} failed on ${records} of ${of}: ${oneLine(message, messageCharactersMax)}`,
        "The records are stored; the rule did not judge them, and learned nothing from them.",
        "",
        "Correct the detector in the config. What it missed can be judged with: eventpulse anomalies backtest",
      ].join("\n"),
      data: { rule, stream, records, message: oneLine(message, messageCharactersMax) },
      destinations: [...known.values()],
      group: `rule:${rule}`,
      cooldownMillis,
      incident: null,
    };
  });
}
