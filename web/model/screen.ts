import { signal } from "@preact/signals";
import { type Client, createClient, memoryStorage } from "../../src/sdk/client/index.ts";
import {
  forgetProfile,
  freeProfile,
  keepProfile,
  knownProfiles,
  type Profile,
  profileOfTab,
  rememberTab,
  takeErased,
} from "../profiles.ts";
import { dropOlder } from "../storage.ts";
import { deviceName } from "./device-name.ts";
import { Session } from "./session.ts";

export { knownProfiles };

/** Who was signed out here, without having said so, and how much of theirs waits to be sent. */
type Ended = { handle: string; because: "revoked" | "expired"; waiting: number };
type Screen = { is: "nothing" } | { is: "sign-in"; ended: Ended | null } | { is: "chat"; session: Session };
export const screen = signal<Screen>({ is: "nothing" });
/** [AP-30] Whose account has just ended here. */
export const erased = signal<string | null>(null);

const PAINTED_WITHIN_MS = 200;

type Opened = { readonly client: Client; readonly profile: string };
/** A client in which nobody is signed in. */
let spare: Opened | null = null;

/** [AP-12] Everybody in this browser has a store of their own. Where the browser keeps nothing, the page does as long as it is open. */
async function open(profile: string): Promise<Opened> {
  const options = { url: location.origin, profile, deviceName: deviceName(), glimpse: true };
  const client = await createClient(options).catch(() => createClient({ ...options, storage: memoryStorage() }));
  void painted().then(client.openWhole);
  return { client, profile };
}

/** When what is drawn now is on the screen: reading all logs would keep it waiting. [CL-54] */
const painted = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, PAINTED_WITHIN_MS); // nobody looks: nothing is painted
    requestAnimationFrame(() => setTimeout(resolve));
  });

/** Whose what is kept here is; null: nobody is signed in, nor was. */
const handleIn = ({ client }: Opened): string | null => client.session.handle;

/** Where a new person may sign in: not where somebody has, in another tab, meanwhile, nor where what somebody wrote waits for them. */
async function vacant(): Promise<Opened> {
  const taken: string[] = [];
  while (!spare || handleIn(spare) !== null) {
    if (spare) taken.push(spare.profile);
    await spare?.client.close();
    spare = await open(freeProfile(taken));
  }
  return spare;
}

/** [AP-31] Where this person may sign in: where they were signed out, so that what they wrote there goes out. */
export async function placeFor(handle: string | null): Promise<Opened> {
  const name = handle?.toLowerCase();
  const isTheirs = (opened: Opened) => opened.client.session.is === "signed_out" && handleIn(opened) === name;
  if (spare && isTheirs(spare)) return spare;
  for (const { profile } of knownProfiles().filter((known) => known.handle === name)) {
    const opened = await open(profile);
    if (isTheirs(opened)) {
      await spare?.client.close();
      spare = opened;
      return opened;
    }
    await opened.client.close();
  }
  return vacant();
}

/** What was written by whoever was signed out here is thrown away, with all else. */
export async function throwAway(): Promise<void> {
  if (!spare) return;
  await spare.client.signOut();
  forgetProfile(spare.profile);
  rememberTab(null);
  screen.value = { is: "sign-in", ended: null };
}

/** Shows the chat of whoever is signed in there. */
export function show(opened: Opened): void {
  const { session } = opened.client;
  if (session.is === "signed_out") {
    if (session.because === "erased") forgetProfile(opened.profile);
    if (spare !== opened) void spare?.client.close();
    spare = opened;
    screen.value = { is: "sign-in", ended: endedIn(opened) };
    return;
  }
  if (opened === spare) spare = null;
  keepProfile({ profile: opened.profile, handle: session.handle });
  rememberTab(opened.profile);
  screen.value = { is: "chat", session: new Session(opened, session) };
}

function endedIn({ client: { session, state } }: Opened): Ended | null {
  if (session.is !== "signed_out" || session.handle === null || session.because === "erased") return null;
  const because = session.because === "expired" ? "expired" : "revoked";
  const written = state.replica.outbox.filter(({ event }) => event.kind === "message");
  return { handle: session.handle, because, waiting: written.length };
}

export const enter = async ({ profile }: Pick<Profile, "profile">): Promise<void> => show(await open(profile));

/** What the tab showed last, from the browser; there need be no network. */
export async function begin(): Promise<void> {
  dropOlder();
  erased.value = takeErased();
  const profile = profileOfTab();
  if (profile === null) screen.value = { is: "sign-in", ended: null };
  else await enter({ profile });
}
