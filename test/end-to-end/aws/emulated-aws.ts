/** The emulator, spoken to as the operator of the account: what no SDK client of this project is needed for. */
export class EmulatedAws {
  readonly url: string;
  readonly region: string;

  constructor(url: string, region: string) {
    this.url = url;
    this.region = region;
  }

  /** A REST call. The emulator learns the service from the credential and checks no signature. */
  async call<Answer>(
    service: string,
    path: string,
    body?: object,
    method = "POST",
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const scope = `20260101/${this.region}/${service}/aws4_request`;
    const response = await fetch(this.url + path, {
      method: body === undefined ? "GET" : method,
      headers: {
        ...headers,
        authorization: `AWS4-HMAC-SHA256 Credential=test/${scope}, SignedHeaders=host, Signature=0`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${service} ${path}: ${response.status} ${text.slice(0, 500)}`);
    return JSON.parse(text) as Answer;
  }
}
