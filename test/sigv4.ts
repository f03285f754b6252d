import { createHash, createHmac } from "node:crypto";

/**
 * AWS Signature Version 4 in the query, written from Amazon's description of it and from nothing else
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html): the signature that this URL should carry when these
 * headers come with it.
 */
export function signatureOf(
  method: string,
  url: URL,
  headers: Record<string, string>,
  { region, secret }: { region: string; secret: string },
): string {
  const query = [...url.searchParams]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`)
    .sort();
  const signed = (url.searchParams.get("X-Amz-SignedHeaders") ?? "").split(";");
  const all: Record<string, string> = { ...headers, host: url.host };
  const lines = signed.map((name) => `${name}:${(all[name] ?? "").trim()}\n`);
  const path = url.pathname.split("/").map((piece) => uriEncode(decodeURIComponent(piece)));
  const canonical = [method, path.join("/"), query.join("&"), lines.join(""), signed.join(";"), "UNSIGNED-PAYLOAD"];
  const date = url.searchParams.get("X-Amz-Date") ?? "";
  const scope = [date.slice(0, 8), region, "s3", "aws4_request"];
  const hash = createHash("sha256").update(canonical.join("\n")).digest("hex");
  const key = scope.reduce((secretSoFar, part) => hmac(secretSoFar, part), Buffer.from(`AWS4${secret}`));
  return hmac(key, ["AWS4-HMAC-SHA256", date, scope.join("/"), hash].join("\n")).toString("hex");
}

const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const uriEncode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
