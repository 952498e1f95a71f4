import { readFileSync } from "node:fs";
import { fixture } from "../fixtures.ts";

/** One example of the CloudEvents conformance suite: a request, and what must be read from it. */
export interface CloudEventVector {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: unknown;
}

/** The vectors of `http-protocol-binding.feature`: each `Scenario Outline` once for each row of its `Examples`. */
export function cloudEventVectors(): readonly CloudEventVector[] {
  const text = readFileSync(fixture("cloudevents/http-protocol-binding.feature"), "utf8");
  return text
    .split("Scenario Outline: ")
    .slice(1)
    .flatMap((outline) => {
      const [before = "", examples = ""] = outline.split("Examples:");
      const [names = [], ...rows] = tableRows(examples);
      return rows.map((row) =>
        vectorOf(names.reduce((filled, name, column) => filled.replaceAll(`<${name}>`, row[column] ?? ""), before)),
      );
    });
}

function vectorOf(scenario: string): CloudEventVector {
  const [request = "", data = ""] = [...scenario.matchAll(/"""\n([\s\S]*?)\n\s*"""/g)].map(([, block]) =>
    unindent(block ?? ""),
  );
  const end = request.indexOf("\n\n");
  const headers = request
    .slice(0, end)
    .split("\n")
    .slice(1)
    .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()] as const)
    .filter(([name]) => name !== "host" && name !== "content-length");
  const [, ...attributes] = tableRows(scenario.slice(scenario.indexOf("Then the attributes are:")));
  return {
    name: (scenario.split("\n")[0] ?? "").trim(),
    headers: Object.fromEntries(headers),
    body: request.slice(end + 2),
    attributes: Object.fromEntries(attributes),
    data: JSON.parse(data),
  };
}

function tableRows(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.trim().startsWith("|"))
    .map((line) =>
      line
        .trim()
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function unindent(block: string): string {
  return block.replaceAll(/^ {8}/gm, "");
}
