import { AwsV4Signer } from "aws4fetch";
import type { Env } from "../env.ts";

/** The S3 door of the bucket. `endpoint`: without the bucket. */
export type Store = { endpoint: string; bucket: string; accessKeyId: string; secretAccessKey: string };

/** Undefined where this deployment keeps no media. */
export function storeOf(env: Env): Store | undefined {
  const { R2_ENDPOINT: endpoint, R2_BUCKET: bucket, R2_ACCESS_KEY_ID: accessKeyId, R2_SECRET_ACCESS_KEY: secret } = env;
  if (!endpoint || !bucket || !accessKeyId || !secret) return undefined; // [MD-1]
  return { endpoint: endpoint.replace(/\/+$/, ""), bucket, accessKeyId, secretAccessKey: secret };
}

type Wanted = {
  method: "GET" | "PUT";
  key: string;
  /** All of them are signed: the request must carry them as they are. */
  headers?: Record<string, string>;
  query?: Record<string, string>;
  /** Epoch ms, to the second. */
  signedAt: number;
  lifeMs: number;
};

/**
 * A URL that lets whoever has it make one kind of request, until it expires (AWS Signature Version 4 in the query,
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html). The same arguments make the same URL.
 */
export async function presign(
  store: Store,
  { method, key, headers, query, signedAt, lifeMs }: Wanted,
): Promise<string> {
  const url = new URL(`${store.endpoint}/${store.bucket}/${key}`);
  url.searchParams.set("X-Amz-Expires", String(Math.floor(lifeMs / 1_000)));
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  const { accessKeyId, secretAccessKey } = store;
  const datetime = new Date(signedAt).toISOString().replace(/[:-]|\.\d{3}/g, "");
  const how = { service: "s3", region: "auto", signQuery: true, allHeaders: true, datetime };
  const signer = new AwsV4Signer({
    method,
    url: url.href,
    headers: headers ?? {},
    accessKeyId,
    secretAccessKey,
    ...how,
  });
  return (await signer.sign()).url.href;
}
