import type { ServerResponse } from "node:http";
import type { TestContext } from "node:test";
import { answerJson, answerProblem, type ReceivedRequest, startScriptedServer } from "../client/scripted-server.ts";
import { type CliOptions, type CliResult, runCli } from "./run-cli.ts";

export interface FixServer {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Requests as "METHOD /path?query". */
  asked(): readonly string[];
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
}

/** What one address answers: JSON, a page of a list (an array), or whatever a function does. */
export type FixAnswer =
  | Readonly<Record<string, unknown>>
  | readonly unknown[]
  | ((request: ReceivedRequest, response: ServerResponse) => void);

/** Until its test ends: a server on a free loopback port that answers by "METHOD /path", for states that a real one takes long to reach. */
export async function serve(
  context: Pick<TestContext, "after">,
  answers: Readonly<Record<string, FixAnswer>>,
): Promise<FixServer> {
  const server = await startScriptedServer((request, response) => {
    const answer = answers[`${request.method} ${request.url.split("?")[0]}`];
    if (answer === undefined) answerProblem(response, 404, "ROUTE_UNKNOWN");
    else if (typeof answer === "function") answer(request, response);
    else if (Array.isArray(answer)) answerJson(response, 200, { data: answer, page: { next: null, limit: 1000 } });
    else answerJson(response, 200, answer);
  });
  context.after(() => server.close());
  return {
    url: server.url,
    requests: server.requests,
    asked: () => server.requests.map(({ method, url }) => `${method} ${decodeURIComponent(url)}`),
    run: (args, options = {}) => runCli(args, { ...options, env: { EVENTPULSE_URL: server.url, ...options.env } }),
  };
}
