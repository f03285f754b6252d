import { computed, type ReadonlySignal } from "@preact/signals";
import type { DeviceState } from "../../src/sdk/drawing.ts";
import type { ConversationId } from "../wire.ts";

/** What the server tells of my conversations beside their logs. By conversation; what is not named is none. */
type News = {
  /** The seqs of the messages that I have starred. */
  readonly starred: Readonly<Record<string, readonly number[]>>;
  /** How many wait to be let in, where I am an admin. */
  readonly waiting: Readonly<Record<string, number>>;
};

/** My stars and who waits to be let in, as the SDK keeps them. */
export class Told {
  readonly all: ReadonlySignal<News>;

  constructor(about: ReadonlySignal<DeviceState["about"]>) {
    this.all = computed(() => newsOf(about.value));
  }

  starsOf(id: ConversationId): readonly number[] {
    return this.all.value.starred[id] ?? [];
  }
  waitingIn(id: ConversationId): number {
    return this.all.value.waiting[id] ?? 0;
  }
}

function newsOf(about: DeviceState["about"]): News {
  const all = Object.entries(about);
  return {
    starred: Object.fromEntries(all.flatMap(([id, { starred }]) => (starred.length > 0 ? [[id, starred]] : []))),
    waiting: Object.fromEntries(
      all.flatMap(([id, { requestCount }]) => (requestCount > 0 ? [[id, requestCount]] : [])),
    ),
  };
}
