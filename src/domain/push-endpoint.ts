/**
 * Whether the Worker may be made to post to this URL, which comes from a client. `hosts`, with spaces between: `host` or `*.host` allows
 * https on its usual port; `http://127.0.0.1:1234`, an origin to the letter, is for tests.
 */
export function isAllowedEndpoint(url: string, hosts: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, username, password, hostname, port, origin } = new URL(url);
  const plain = protocol === "https:" && port === "" && username === "" && password === "";
  return hosts
    .split(/\s+/)
    .filter(Boolean)
    .some((allowed) => (allowed.includes("://") ? origin === allowed : plain && isHost(hostname, allowed))); // [PU-22]
}

const isHost = (hostname: string, allowed: string): boolean =>
  allowed.startsWith("*.") ? hostname.endsWith(allowed.slice(1)) : hostname === allowed;

/** Safari takes a page's subscription away when pushes show nothing (developer.apple.com, "Sending web push notifications"). */
export const forbidsSilence = (url: string): boolean => isHost(new URL(url).hostname, "*.push.apple.com");
