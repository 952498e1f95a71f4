/** Headers of an RFC 5322 message by lower-case name, unfolded. Enough for the plain mails of the contract tests. */
export function headersOf(message: string): ReadonlyMap<string, string> {
  const head = message.slice(0, bodyStart(message)).replaceAll(/\r\n[ \t]+/g, " ");
  const headers = new Map<string, string>();
  for (const line of head.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

/** Type and decoded body of every part, in order; one for a mail that is not multipart. */
export function partsOf(message: string): readonly { readonly type: string; readonly body: string }[] {
  const headers = headersOf(message);
  const contentType = headers.get("content-type") ?? "text/plain";
  const body = message.slice(bodyStart(message));
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (boundary === undefined) {
    return [{ type: contentType.split(";")[0] ?? "", body: decode(body, headers.get("content-transfer-encoding")) }];
  }
  return body
    .split(`--${boundary}`)
    .slice(1, -1)
    .flatMap((part) => partsOf(part.replace(/^\r\n/, "").replace(/\r\n$/, "")));
}

function bodyStart(message: string): number {
  const end = message.indexOf("\r\n\r\n");
  return end === -1 ? message.length : end + 4;
}

function decode(body: string, encoding: string | undefined): string {
  const text = body.replaceAll("\r\n", "\n");
  if (encoding === "base64") return Buffer.from(text, "base64").toString();
  if (encoding !== "quoted-printable") return text;
  return Buffer.from(
    text
      .replaceAll("=\n", "")
      .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  ).toString();
}
