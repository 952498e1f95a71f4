import { createHmac, hash } from "node:crypto";

export interface SignedPut {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Whether S3 would take a PUT through a presigned link: signature over everything that is in it, expiry, length and checksum.
 * The emulator checks none of them. The rules: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function isSignedPut({ url, headers, body }: SignedPut, secretAccessKey: string, now: number): boolean {
  const { host, pathname, searchParams } = new URL(url);
  const value = (name: string) => searchParams.get(`X-Amz-${name}`) ?? "";
  const [, day = "", region = "", service = ""] = value("Credential").split("/");
  const sent: Record<string, string> = { host, "content-length": String(body.length), ...headers };
  const signed = value("SignedHeaders").split(";");
  const query = [...searchParams]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map((pair) => pair.map(encode).join("="))
    .sort();
  const canonical = [
    "PUT",
    pathname,
    query.join("&"),
    ...signed.map((name) => `${name}:${sent[name] ?? ""}`),
    "",
    signed.join(";"),
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = [value("Algorithm"), value("Date"), scope, hash("sha256", canonical)].join("\n");
  const key = [day, region, service, "aws4_request"].reduce<string | Buffer>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  if (createHmac("sha256", key).update(text).digest("hex") !== value("Signature")) return false;
  if (value("Algorithm") !== "AWS4-HMAC-SHA256") return false;
  const signedAt = Date.parse(value("Date").replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(now < signedAt + Number(value("Expires")) * 1000)) return false;
  const checksum = headers["x-amz-checksum-sha256"];
  return checksum === undefined || checksum === hash("sha256", body, "base64");
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
