import type { HttpCalls } from "./running.ts";

export interface LiveMessage {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface LiveTail {
  /** What came so far, oldest first. */
  readonly messages: readonly LiveMessage[];
  close(): void;
}

/** Listens to `/v1/live` as a browser's EventSource does; resolves when the server has said that it listens. */
export async function openLiveTail(running: HttpCalls, query = ""): Promise<LiveTail> {
  const abort = new AbortController();
  const response = await running.request(`/v1/live${query}`, { signal: abort.signal });
  if (response.status !== 200 || response.body === null) throw new Error(`the live tail answers ${response.status}`);
  const messages: LiveMessage[] = [];
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const read = async (): Promise<boolean> => {
    const { done, value } = await reader.read();
    if (done) return false;
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      // Only line feeds end a line here: "." and "$" of a regular expression would stop at U+2028 too.
      const field = (name: string) =>
        block
          .split("\n")
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const [event, data] = [field("event"), field("data")];
      if (event !== undefined && data !== undefined) messages.push({ event, data: JSON.parse(data) });
    }
    return true;
  };
  await read();
  const reading = (async () => {
    while (await read());
  })().catch(() => undefined);
  return {
    messages,
    close: () => {
      abort.abort();
      void reading;
    },
  };
}
