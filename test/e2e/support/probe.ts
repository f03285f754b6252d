import { request } from "node:http";
import { connect } from "node:net";
import { ERRORS, Problem } from "../../../src/protocol/errors.ts";
import { PATIENCE_MS } from "./patience.ts";

export type Probe = {
  method: string;
  path: string;
  token?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
};
export type Answer = { status: number; contentType: string; text: string };

/** One HTTP request exactly as given: no path is mended, no body checked. Rejects when the server hangs up without an answer. */
export function probe(port: number, asked: Probe): Promise<Answer> {
  const { method, path, token, headers = {}, body } = asked;
  const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const isMeasured = body !== undefined && !("transfer-encoding" in headers);
  const length = isMeasured ? { "content-length": Buffer.byteLength(body) } : {}; // Node leaves it out where a method has no body
  return new Promise((resolve, reject) => {
    const sent = request({
      host: "127.0.0.1",
      port,
      method,
      path,
      headers: { ...bearer, ...length, ...headers },
      timeout: PATIENCE_MS,
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer to ${method} ${path}`)));
    // A connection that was kept may have been closed just now: nobody has read what was asked on it.
    sent.on("error", (error) => (sent.reusedSocket ? resolve(probe(port, asked)) : reject(error)));
    sent.on("response", async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const { statusCode = 0, headers } = response;
      resolve({
        status: statusCode,
        contentType: headers["content-type"] ?? "",
        text: Buffer.concat(chunks).toString(),
      });
    });
    sent.end(body);
  });
}

/** Bytes on a TCP connection; answers what came back until it was closed or went quiet. */
export function rawTcp(port: number, bytes: Buffer | string, quietMs = 150): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.setTimeout(quietMs, () => socket.destroy());
    socket.on("data", (chunk) => (heard += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => resolve(heard));
  });
}

const LEAK =
  /\bat \S+ \(|\.[jt]s:\d+|\b(SELECT|INSERT|UPDATE|DELETE) .*\b(FROM|INTO|SET|WHERE)\b|SQLITE|D1_ERROR|sqlite|(Type|Range|Syntax|Reference)Error|eyJ[\w-]{10}|node_modules|argon2|workerd/;

/** What an answer must never tell: stacks, SQL, tokens, the machine. Null when there is nothing of it. */
export const leakIn = (text: string): string | null => LEAK.exec(text)?.[0] ?? null;

/** Holds a refusal against the contract. Answers what is wrong with it, or its code. */
export function judge({ status, contentType, text }: Answer): { code: string } | { wrong: string } {
  const leak = leakIn(text);
  if (leak !== null) return { wrong: `${status} tells ${leak}: ${text.slice(0, 300)}` };
  if (contentType !== "application/problem+json")
    return { wrong: `${status} is ${contentType || "nothing"}: ${text.slice(0, 200)}` };
  const problem = Problem.strict().safeParse(JSON.parse(text));
  if (!problem.success) return { wrong: `not a problem: ${text.slice(0, 300)}` };
  const { code, retryable } = problem.data;
  const fits = ERRORS[code].status === status && problem.data.status === status && ERRORS[code].retryable === retryable;
  return fits && status < 500 ? { code } : { wrong: `${status} ${text.slice(0, 300)}` };
}
