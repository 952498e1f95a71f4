import type { Destination } from "../model/notification.ts";
import { type Handle, isHandle } from "./handle.ts";
import { kindOf, OptionsReader } from "./options-reader.ts";
import type { Problems, Spot } from "./problems.ts";
import type { TextReader } from "./text-reader.ts";

/** The destinations of an `owner` or a `to`. Wrong ones are noted and left out. */
export function readDestinations(
  options: OptionsReader,
  name: string,
  texts: TextReader,
  problems: Problems,
): readonly Destination[] {
  return options.list(name).flatMap((given, index) => {
    const label = `${options.at(name).label}[${index}]`;
    if (isHandle(given, "email")) return readEmail(given, label, texts, problems);
    if (isHandle(given, "webhook")) return readWebhook(given, label, texts, problems);
    options.problem(name, `element ${index} must be email("…") or webhook("…"), is ${kindOf(given)}.`);
    return [];
  });
}

function readEmail(
  handle: Handle<"email">,
  label: string,
  texts: TextReader,
  problems: Problems,
): readonly Destination[] {
  const spot: Spot = { site: handle.site, path: [], label };
  const options = new OptionsReader(handle.options, ["address"], spot, problems);
  const address = texts.read(options.value("address"), spot);
  if (address === null) return [];
  if (/^[^\s@<>(),;:"]+@[^\s@<>(),;:"]+$/.test(address) && address.length <= 254) return [{ kind: "email", address }];
  problems.add(
    spot,
    `${JSON.stringify(address)} is not an email address; write only the address, such as "ops@example.com".`,
  );
  return [];
}

function readWebhook(
  handle: Handle<"webhook">,
  label: string,
  texts: TextReader,
  problems: Problems,
): readonly Destination[] {
  const spot: Spot = { site: handle.site, path: [], label };
  const options = new OptionsReader(handle.options, ["url", "secret"], spot, problems);
  const url = texts.read(options.value("url"), spot);
  const secret = options.value("secret") === undefined ? null : options.text("secret", texts);
  if (secret !== null && !isSecret(secret)) {
    options.problem(
      "secret",
      'must be "whsec_" and base64 of 24 to 64 bytes; make one with `openssl rand -base64 32`.',
    );
  }
  if (url === null) return [];
  const protocol = URL.canParse(url) ? new URL(url).protocol : "";
  if (protocol === "http:" || protocol === "https:") return [{ kind: "webhook", url, secret }];
  // A hook's URL is often a secret itself: it is not repeated.
  problems.add(spot, "the URL of a webhook must start with https:// or http://.");
  return [];
}

function isSecret(secret: string): boolean {
  if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret)) return false;
  const bytes = Buffer.from(secret.slice("whsec_".length), "base64").length;
  return bytes >= 24 && bytes <= 64;
}
