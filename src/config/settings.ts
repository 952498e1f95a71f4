import { type ErrorDetail, EventPulseError } from "../model/error.ts";
import { apiKeyPattern, apiKeyPatternText, readTenantKeys, type TenantKeys } from "../model/tenant-keys.ts";

/**
 * One setting, said once: the loader, `--help` and the docs derive from it.
 *
 * - `type`: `text`, `path`, `url` and `email` are strings; `integer` has `min` and `max`; `choice` has `choices`; `boolean`
 *   is true for 1, true, yes, on and false for 0, false, no, off.
 * - `tenant-keys` are pairs such as `acme:KEY`, with commas between.
 * - `default`: null when there is none; the setting is then null unless given.
 * - `flags`: as commander writes them. A boolean whose default is true has a `--no-` flag.
 * - `secret`: never printed, and best given by the environment.
 */
export interface SettingDefinition {
  readonly type: "text" | "path" | "url" | "email" | "integer" | "boolean" | "choice" | "tenant-keys";
  readonly unit: string | null;
  readonly default: string | number | boolean | null;
  readonly environment: string;
  readonly flags: string;
  readonly description: string;
  readonly secret: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  /** What the text must look like, and how to say it. */
  readonly pattern?: RegExp;
  readonly patternText?: string;
}

export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;

/** Every setting of `eventpulse dev` and `eventpulse start`. */
export const settings = {
  config: {
    type: "path",
    unit: null,
    default: "eventpulse.config.ts",
    environment: "EVENTPULSE_CONFIG",
    flags: "--config <file>",
    description: "the config file",
    secret: false,
  },
  port: {
    type: "integer",
    unit: null,
    default: 8080,
    environment: "EVENTPULSE_PORT",
    flags: "--port <number>",
    description: "TCP port to listen on; 0 takes a free one",
    secret: false,
    min: 0,
    max: 65_535,
  },
  host: {
    type: "text",
    unit: null,
    default: "127.0.0.1",
    environment: "EVENTPULSE_HOST",
    flags: "--host <address>",
    description: "address to listen on",
    secret: false,
    pattern: /^[A-Za-z0-9.:_-]{1,253}$/,
    patternText: "a host name or an IP address",
  },
  data: {
    type: "path",
    unit: null,
    default: ".eventpulse",
    environment: "EVENTPULSE_DATA",
    flags: "--data <folder>",
    description: "folder for everything that is kept",
    secret: false,
  },
  memory: {
    type: "boolean",
    unit: null,
    default: false,
    environment: "EVENTPULSE_MEMORY",
    flags: "--memory",
    description: "keep nothing after the end: the data folder is a temporary one",
    secret: false,
  },
  open: {
    type: "boolean",
    unit: null,
    default: true,
    environment: "EVENTPULSE_OPEN",
    flags: "--no-open",
    description: "do not open a browser",
    secret: false,
  },
  smtpUrl: {
    type: "url",
    unit: null,
    default: null,
    environment: "EVENTPULSE_SMTP_URL",
    flags: "--smtp-url <url>",
    description: "server that sends mail, smtp://user:password@host:587 or smtps://…; without it mail is captured",
    secret: true,
    pattern: /^smtps?:$/,
    patternText: "an smtp:// or smtps:// URL",
  },
  mailFrom: {
    type: "email",
    unit: null,
    default: "eventpulse@localhost",
    environment: "EVENTPULSE_MAIL_FROM",
    flags: "--mail-from <address>",
    description: "sender of mail",
    secret: false,
  },
  logLevel: {
    type: "choice",
    unit: null,
    default: "info",
    environment: "EVENTPULSE_LOG_LEVEL",
    flags: "--log-level <level>",
    description: "least severe level that is logged",
    secret: false,
    choices: logLevels,
  },
  key: {
    type: "text",
    unit: null,
    default: null,
    environment: "EVENTPULSE_KEY",
    flags: "--key <key>",
    description: "API key, 16 to 200 characters; without it one is made and kept in the data folder",
    secret: true,
    pattern: apiKeyPattern,
    patternText: apiKeyPatternText,
  },
  tenantKeys: {
    type: "tenant-keys",
    unit: null,
    default: null,
    environment: "EVENTPULSE_TENANT_KEYS",
    flags: "--tenant-keys <list>",
    description: "API keys of further tenants: acme:KEY,globex:KEY; --key is that of the tenant default",
    secret: true,
  },
} as const satisfies Record<string, SettingDefinition>;

type Definitions = typeof settings;
export type SettingName = keyof Definitions;

type ValueOf<Definition extends SettingDefinition> = Definition extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : Definition["type"] extends "integer"
    ? number
    : Definition["type"] extends "boolean"
      ? boolean
      : Definition["type"] extends "tenant-keys"
        ? TenantKeys
        : string;

/** The settings in force. Null only where the default is null. */
export type Settings = {
  readonly [Name in SettingName]: Definitions[Name]["default"] extends null
    ? ValueOf<Definitions[Name]> | null
    : ValueOf<Definitions[Name]>;
};

export interface SettingSources {
  /** Values of the flags that were given, as text or already converted; others absent or undefined. */
  readonly flags?: { readonly [Name in SettingName]?: unknown };
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Flags over environment over defaults; an empty environment variable counts as not set. Throws SETTING_INVALID with every
 * bad value at once, each with where it was given and what is allowed; values of secrets are not repeated.
 */
export function loadSettings({ flags = {}, environment = process.env }: SettingSources = {}): Settings {
  const errors: ErrorDetail[] = [];
  const values: Partial<Record<SettingName, string | number | boolean | TenantKeys | null>> = {};
  for (const name of Object.keys(settings) as SettingName[]) {
    const definition: SettingDefinition = settings[name];
    const flag = flags[name];
    const given = flag === undefined ? environment[definition.environment] : flag;
    if (given === undefined || given === null || (given === "" && flag === undefined)) {
      values[name] = definition.default;
      continue;
    }
    const parsed = parseSetting(definition, given);
    if (parsed.ok) values[name] = parsed.value;
    else {
      const source = flag === undefined ? definition.environment : (definition.flags.split(" ")[0] ?? "");
      const shown = definition.secret ? "its value" : JSON.stringify(given);
      const detail = `${source}: ${shown} is not ${parsed.expected} (${definition.description})`;
      errors.push({ pointer: "", code: "SETTING_INVALID", detail });
    }
  }
  if (errors.length > 0) {
    const count = errors.length === 1 ? "A setting is" : `${errors.length} settings are`;
    throw new EventPulseError("SETTING_INVALID", `${count} not valid. Correct what is listed and start again.`, {
      errors,
    });
  }
  return values as Settings;
}

type Parsed =
  | { readonly ok: true; readonly value: string | number | boolean | TenantKeys }
  | { readonly ok: false; readonly expected: string };

const yes = new Set(["1", "true", "yes", "on"]);
const no = new Set(["0", "false", "no", "off"]);

function parseSetting(definition: SettingDefinition, given: unknown): Parsed {
  const text = String(given).trim();
  switch (definition.type) {
    case "boolean":
      if (yes.has(text.toLowerCase())) return { ok: true, value: true };
      if (no.has(text.toLowerCase())) return { ok: true, value: false };
      return { ok: false, expected: "true or false" };
    case "integer": {
      const { min = 0, max = Number.MAX_SAFE_INTEGER } = definition;
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      const expected = `a whole number from ${min} to ${max}${definition.unit === null ? "" : ` ${definition.unit}`}`;
      return value >= min && value <= max ? { ok: true, value } : { ok: false, expected };
    }
    case "choice": {
      const { choices = [] } = definition;
      return choices.includes(text)
        ? { ok: true, value: text }
        : { ok: false, expected: `one of ${choices.join(", ")}` };
    }
    case "url": {
      const protocol = URL.canParse(text) ? new URL(text).protocol : "";
      const fits = definition.pattern?.test(protocol) ?? protocol !== "";
      return fits ? { ok: true, value: text } : { ok: false, expected: definition.patternText ?? "a URL" };
    }
    case "tenant-keys": {
      const pairs = text.split(",").map((pair) => {
        const end = pair.indexOf(":");
        return [pair.slice(0, Math.max(0, end)).trim(), pair.slice(end + 1).trim()] as const;
      });
      const read = readTenantKeys(pairs);
      return read.ok ? { ok: true, value: read.keys } : { ok: false, expected: `acme:KEY,globex:KEY: ${read.problem}` };
    }
    case "email":
      return /^[^\s@<>]+@[^\s@<>]+$/.test(text)
        ? { ok: true, value: text }
        : { ok: false, expected: "an email address" };
    default: {
      const fits = text !== "" && !text.includes("\0") && (definition.pattern?.test(text) ?? true);
      const expected = definition.patternText ?? (definition.type === "path" ? "a path" : "a text that is not empty");
      return fits ? { ok: true, value: text } : { ok: false, expected };
    }
  }
}
