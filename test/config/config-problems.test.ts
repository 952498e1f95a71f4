import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { problemsOf } from "./config-folder.ts";

const head = `import { z } from "zod";
import { alert, anomaly, defineConfig, email, env, http, simulator, stream, webhook } from "eventpulse";
const schema = z.object({ id: z.string(), total: z.number(), country: z.string(), at: z.iso.datetime(), ok: z.boolean() });
`;

test("lists all problems of a config at once, in the order of their lines", async (context) => {
  const problems = await problemsOf(
    context,
    `${head}
const orders = stream({
  schema,
  keys: "id",
  time: "att",
  retention: "7 days",
});
const lost = stream({ schema });
const spend = anomaly(orders, { value: "totl", per: "country", detect: { mad: { window: 5000 } } });
const ghost = anomaly(lost, { value: "total", detect: "mad" });
export default defineConfig({
  name: "shop",
  streams: { orders },
  source: [],
  sources: [
    http(),
    simulator(orders, { every: "5m", faults: {
      invalid: 0.1,
      spike: 2,
    } }),
    simulator(lost, { every: "1ms" }),
  ],
  anomalies: { spend, ghost },
  alerts: [
    alert({ on: spend, to: [email("ops at example.com"), webhook("ftp://example.com")] }),
    alert({ on: spend, to: [webhook(env("HOOK_URL_OF_NOBODY"))], cooldown: "30d", recovery: "no", severity: "bad" }),
  ],
});
`,
  );
  const at = "eventpulse.config.ts";
  assert.deepEqual(problems, [
    `${at}:7: streams.orders.keys: is not an option; did you mean "key"?`,
    `${at}:8: streams.orders.time: the schema has no field "att"; did you mean "at"?`,
    `${at}:9: streams.orders.retention: must be a duration, is "7 days"; write a whole number and s, m, h or d, such as "7d".`,
    `${at}:12: anomalies.spend.detect.mad.window: must be a whole number from 10 to 1000, is 5000.`,
    `${at}:12: anomalies.spend.value: the records of "orders" have no field "totl"; did you mean "total"?`,
    `${at}:13: anomalies.ghost: is about a stream that is not in \`streams\` of defineConfig; add it there.`,
    `${at}:17: source: is not an option; did you mean "sources"?`,
    `${at}:22: sources[1].faults.spike: must be a number from 0 to 1, is 2.`,
    `${at}:24: sources[2]: is about a stream that is not in \`streams\` of defineConfig; add it there.`,
    `${at}:24: sources[2].every: must be a duration, is "1ms"; write a whole number and s, m, h or d, such as "1s".`,
    `${at}:28: alerts[0].to[0]: "ops at example.com" is not an email address; write only the address, such as "ops@example.com".`,
    `${at}:28: alerts[0].to[1]: the URL of a webhook must start with https:// or http://.`,
    `${at}:29: alerts[1].to[0]: the environment variable HOOK_URL_OF_NOBODY is not set; set it, or give a default: env("HOOK_URL_OF_NOBODY", "…").`,
    `${at}:29: alerts[1].cooldown: is "30d"; allowed is 1s to 7d.`,
    `${at}:29: alerts[1].recovery: must be true or false, is "no".`,
    `${at}:29: alerts[1].severity: must be "warning" or "critical", is "bad".`,
  ]);
});

/** One problem each: the body after the head (whose next line is 4), and what is said. */
const single: readonly (readonly [string, string, RegExp])[] = [
  [
    "a stream name that no URL should have",
    `streams: { "My Orders": stream({ schema }) }`,
    /:4: streams\.My Orders: is not a name for a stream; .* such as "my-orders"\.$/,
  ],
  ["a camel-case stream name", `streams: { myOrders: stream({ schema }) }`, /such as "my-orders"\.$/],
  ["no streams", "streams: {}", /:4: streams: a config needs at least one stream/],
  ["streams that are missing", "sources: []", /:4: streams: a config needs at least one stream/],
  [
    "a stream that is a plain object",
    "streams: { a: { schema } }",
    /:4: streams\.a: must be made with stream\(…\), is an object\.$/,
  ],
  ["the same stream twice", "streams: { a: one, b: one }", /streams\.b: is the same stream as "a"/],
  [
    "a schema that is none",
    "streams: { a: stream({ schema: { id: String } }) }",
    /streams\.a\.schema: is an object, not a schema; write one with zod/,
  ],
  ["a missing schema", "streams: { a: stream({}) }", /streams\.a\.schema: is missing; write one with zod/],
  [
    "a schema of something else than an object",
    "streams: { a: stream({ schema: z.string() }) }",
    /schema: describes "string", but an event is an object/,
  ],
  [
    "options that are none",
    "streams: { a: stream() }",
    /streams\.a: must be an object with schema, key, .*; it is missing\./,
  ],
  [
    "a version that is none",
    `streams: { a: stream({ schema, version: "v2" }) }`,
    /version: must be a version like "2\.0\.0", is "v2"\.$/,
  ],
  [
    "a retention that is too short",
    `streams: { a: stream({ schema, retention: "30m" }) }`,
    /retention: is "30m"; allowed is 1h to 3650d\.$/,
  ],
  [
    "a retention that is too long, for one of them",
    `streams: { a: stream({ schema, retention: { raw: "4000d" } }) }`,
    /retention\.raw: is "4000d"; allowed/,
  ],
  [
    "an unknown kind of retention",
    `streams: { a: stream({ schema, retention: { record: "1d" } }) }`,
    /retention\.record: is not an option; did you mean "records"\?/,
  ],
  [
    "a key that is a boolean",
    `streams: { a: stream({ schema, key: "ok" }) }`,
    /key: the field "ok" is of type boolean; it must be text or a number\.$/,
  ],
  [
    "an unknown personal field",
    `streams: { a: stream({ schema, pii: ["contry"] }) }`,
    /pii: the schema has no field "contry"; did you mean "country"\?/,
  ],
  [
    "a transform that is no function",
    `streams: { a: stream({ schema, transform: "x" }) }`,
    /transform: must be a function \(event, context\) => result, is "x"\.$/,
  ],
  [
    "an owner that is a text",
    `streams: { a: stream({ schema, owner: ["me@example.com"] }) }`,
    /owner: element 0 must be email\("…"\) or webhook\("…"\), is a string\.$/,
  ],
  [
    "a rule about text",
    `streams: { one }, anomalies: { r: anomaly(one, { value: "country", detect: "mad" }) }`,
    /value: the field "country" is of type string; such a rule judges numbers\.$/,
  ],
  [
    "a rule that splits by an unknown field",
    `streams: { one }, anomalies: { r: anomaly(one, { value: "total", per: "land", detect: "mad" }) }`,
    /per: the records of "one" have no field "land"; known: id, total/,
  ],
  [
    "an unknown detector",
    `streams: { one }, anomalies: { r: anomaly(one, { value: "total", detect: "magic" }) }`,
    /detect: is "magic"; write "mad", "streaming", .*, \{ range: \{ low, high \} \} or a detector of your own\.$/,
  ],
  [
    "a detector without a judge",
    `streams: { one }, anomalies: { r: anomaly(one, { value: "total", detect: { kind: "mine", judge: 5 } }) }`,
    /detect: a detector has a kind \(a text\) and judge \(a function\); judge is a number\.$/,
  ],
  [
    "two detectors in one rule",
    `streams: { one }, anomalies: { r: anomaly(one, { value: "total", detect: { mad: {}, streaming: {} } }) }`,
    /detect: names two detectors; write one rule for each\.$/,
  ],
  [
    "a field for a rule about whole records",
    `streams: { one }, anomalies: { r: anomaly(one, { value: "total", detect: "rate" }) }`,
    /value: leave it out: a rule that detects rate is about whole records\.$/,
  ],
  [
    "one field for a rule about several",
    `streams: { one }, anomalies: { r: anomaly(one, { value: "total", detect: "multivariate" }) }`,
    /value: must be a list of 2 to 8 fields, in square brackets\.$/,
  ],
  [
    "several fields for a rule about one",
    `streams: { one }, anomalies: { r: anomaly(one, { value: ["total", "total"], detect: "streaming" }) }`,
    /value: must be one field; only detect: "multivariate" judges several together\.$/,
  ],
  [
    "a text among several numbers",
    `streams: { one }, anomalies: { r: anomaly(one, { value: ["total", "id"], detect: "multivariate" }) }`,
    /value: the field "id" is of type string; such a rule judges numbers\.$/,
  ],
  [
    "a rule without a field",
    `streams: { one }, anomalies: { r: anomaly(one, { detect: "novelty" }) }`,
    /value: is missing; name the field to judge\.$/,
  ],
  [
    "a bucket that is no time",
    `streams: { one }, anomalies: { r: anomaly(one, { detect: { rate: { bucket: "2w" } } }) }`,
    /detect\.rate\.bucket: must be a duration, is "2w"/,
  ],
  [
    "silence that is neither on nor off",
    `streams: { one }, anomalies: { r: anomaly(one, { detect: { rate: { silence: "off" } } }) }`,
    /detect\.rate\.silence: must be true or false, is "off"\.$/,
  ],
  [
    "no false alarm ever",
    `streams: { one }, anomalies: { r: anomaly(one, { detect: { drift: { falseAlarmsPerWeek: 0 } } }) }`,
    /detect\.drift\.falseAlarmsPerWeek: must be a number from 0\.001 to 1000, is 0\.$/,
  ],
  [
    "a band without ends",
    `streams: { one }, anomalies: { r: anomaly(one, { value: "total", detect: { range: {} } }) }`,
    /detect\.range: has no ends/,
  ],
  [
    "a band upside down",
    `streams: { one }, anomalies: { r: anomaly(one, { value: "total", detect: { range: { low: 5, high: 1 } } }) }`,
    /low \(5\) is above high \(1\)/,
  ],
  [
    "a warm-up longer than the window",
    `streams: { one }, anomalies: { r: anomaly(one, { value: "total", detect: { mad: { window: 10, warmup: 20 } } }) }`,
    /warmup: must be a whole number from 2 to 10, is 20/,
  ],
  [
    "a rule without a stream",
    `streams: { one }, anomalies: { r: anomaly("one", { value: "total", detect: "mad" }) }`,
    /anomalies\.r: must be about a stream made with stream\(…\), is about a string\.$/,
  ],
  [
    "an alert about a rule that is not named",
    `streams: { one }, alerts: [alert({ on: anomaly(one, { value: "total", detect: "mad" }), to: [email("a@b.c")] })]`,
    /alerts\[0\]\.on: is a rule that is not in `anomalies`/,
  ],
  [
    "an alert that tells nobody",
    `streams: { one }, anomalies: { rule }, alerts: [alert({ on: rule, to: [] })]`,
    /alerts\[0\]\.to: tells nobody/,
  ],
  ["two HTTP doors", "streams: { one }, sources: [http(), http()]", /sources\[1\]: http\(\) is there already/],
  [
    "a source that is none",
    `streams: { one }, sources: ["http"]`,
    /sources: element 0 must be http\(\) or simulator\(…\), is a string\.$/,
  ],
  [
    "a simulator without a schedule",
    "streams: { one }, sources: [simulator(one, { count: 5 })]",
    /sources\[0\]\.every: is missing; write a whole number/,
  ],
  [
    "a webhook secret of the wrong form",
    `streams: { one }, anomalies: { rule }, alerts: [alert({ on: rule, to: [webhook("http://127.0.0.1/", { secret: "hunter2" })] })]`,
    /secret: must be "whsec_" and base64/,
  ],
];

describe("a problem is said with its place and what to do", () => {
  for (const [what, body, words] of single) {
    test(`refuses ${what}`, async (context) => {
      const rule = `const one = stream({ schema }); const rule = anomaly(one, { value: "total", detect: "mad" }); void rule; `;
      const problems = await problemsOf(
        context,
        `${head}${rule}export default defineConfig({ name: "x", ${body} });\n`,
      );
      assert.equal(problems.length, 1, JSON.stringify(problems));
      assert.match(problems[0] ?? "", words);
      assert.match(problems[0] ?? "", /^eventpulse\.config\.ts:4: /);
      assert(!problems[0]?.includes("hunter2"), "a secret is not repeated");
    });
  }

  test("refuses a simulator of a schema that cannot be described", async (context) => {
    const text = `import * as v from "${import.meta.resolve("valibot")}"; import { defineConfig, simulator, stream } from "eventpulse";
const one = stream({ schema: v.object({ n: v.number() }) });
export default defineConfig({ name: "x", streams: { one }, sources: [simulator(one, { every: "1s" })] });`;
    const problems = await problemsOf(context, text);
    assert.match(
      problems[0] ?? "",
      /:3: sources\[0\]: events cannot be made up for a schema whose library gives no JSON Schema/,
    );
  });

  test("says nothing about fields that a transform or an open schema may add", async (context) => {
    const text = `${head}const one = stream({ schema, transform: (o: any) => ({ ...o, extra: 1 }) });
const open = stream({ schema: z.looseObject({ a: z.string() }) });
export default defineConfig({ name: "x", streams: { one, open }, anomalies: {
  a: anomaly(one, { value: "extra", detect: "mad" }), b: anomaly(open, { value: "other", detect: "mad" }) } });`;
    assert.deepEqual(await problemsOf(context, text), []);
  });
});

describe("a file that cannot be loaded", () => {
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    [
      "a syntax error in TypeScript",
      "c.ts",
      "const a: number = 1;\nconst b = ;\nexport default a;",
      /^c\.ts:2: SyntaxError: .*correct the syntax there\.$/,
    ],
    [
      "a syntax error in JavaScript",
      "c.mjs",
      "const a = 1;\nconst b = ;\nexport default a;",
      /^c\.mjs:2: SyntaxError: Unexpected token ';'; correct/,
    ],
    [
      "an enum, which type stripping cannot do",
      "c.ts",
      "\nenum Kind { A }\nexport default Kind.A;",
      /^c\.ts:2: SyntaxError: TypeScript enum is not supported/,
    ],
    [
      "an error that it throws",
      "c.ts",
      "const a: number = 1;\n\nthrow new TypeError('no table');\nexport default a;",
      /^c\.ts:3: TypeError: no table; it happened while the config was loaded\.$/,
    ],
    [
      "a package that is not installed",
      "c.ts",
      '// first\nimport x from "not-there-at-all";\nexport default x;',
      /^c\.ts:2: there is no package not-there-at-all; install it: npm install not-there-at-all\.$/,
    ],
    [
      "a file that is not there",
      "c.ts",
      '\n\nimport { x } from "./orders.ts";\nexport default x;',
      /^c\.ts:3: there is no module orders\.ts; correct the path/,
    ],
    [
      "a name that a module does not export",
      "c.ts",
      '\nimport { streams } from "eventpulse";\nexport default streams;',
      /^c\.ts:2: SyntaxError: .*'streams'/,
    ],
    [
      "no default export",
      "c.ts",
      "export const a = 1;",
      /^c\.ts: has no default export; end it with `export default defineConfig/,
    ],
    [
      "another default export",
      "c.ts",
      "export default { name: 'x' };",
      /^c\.ts: exports an object as its default; end it with/,
    ],
  ];
  for (const [what, name, text, words] of cases) {
    test(`says where: ${what}`, async (context) => {
      const problems = await problemsOf(context, text, { name });
      assert.equal(problems.length, 1, JSON.stringify(problems));
      assert.match(problems[0] ?? "", words);
    });
  }
});
