/** A provider is given up after this long. Ms. */
export const PROVIDER_TIMEOUT_MS = 10_000;

type Posted = { status: number; headers: Headers; text: string } | { failed: "timeout" | "unreachable" };

/**
 * Posts to a provider and reads what it says, within `timeoutMs` all in all. Redirects are not followed: the host that was allowed would
 * choose another one.
 */
export async function post(
  url: string,
  headers: Record<string, string>,
  body: BodyInit,
  timeoutMs = PROVIDER_TIMEOUT_MS,
): Promise<Posted> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal }); // [PU-22]
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch {
    return { failed: signal.aborted ? "timeout" : "unreachable" };
  }
}
