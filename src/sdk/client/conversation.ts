import { forwarded } from "../../domain/life.ts";
import type { Content, Wish } from "../../protocol/events.ts";
import type { ConversationId } from "../../protocol/ids.ts";
import { heldOf } from "../state.ts";
import type { Conversation, Message, Sendable, Sending, SendOptions } from "./api.ts";
import type { Command } from "./commands.ts";
import type { Emitter } from "./emitter.ts";
import { EdgewiseError } from "./errors.ts";
import type { Sendings } from "./sendings.ts";
import type { Sessions } from "./sessions.ts";
import { type Sight, View } from "./view.ts";
import type { Conversation as Answered } from "./wire.ts";

/** What a conversation's handle is made of. */
export type Parts = {
  readonly view: View;
  readonly sight: () => Sight;
  readonly sendings: Sendings;
  readonly sessions: Sessions;
  readonly emitter: Emitter;
  readonly run: (command: Command) => Promise<unknown>;
  /** Calls back in so many ms, unless the client is closed before; answers how to call it off. */
  readonly later: (ms: number, act: () => void) => () => void;
  /** Not waited for; what goes wrong is not of the caller's making. */
  readonly tell: (command: Command) => void;
};

/** The name under which changes of one conversation are told. */
export const changesOf = (id: string): string => `conversation ${id}`;

/** The handle of a conversation: it has no state of its own, so there may be any number of it. */
export function conversationOf(id: ConversationId, parts: Parts): Conversation {
  const { view, sight, sendings, sessions, emitter, run, tell } = parts;
  const params = { id };
  const send = (event: Wish) => sendings.send(id, event);
  const know = (conversation: Answered) => run({ do: "know", conversation });
  return {
    id,
    snapshot: () => view.snapshot(id, sight()),
    messages: () => view.lines(id, sight()),
    subscribe: (listener) => emitter.on(changesOf(id), listener),
    loadOlder: async () => Number(await run({ do: "older", conversationId: id })),

    around: async (seq) => {
      const { pastAround } = await import("./past.ts"); // most who open a conversation stay at its end
      const changed = () => {
        emitter.tell(changesOf(id), null);
        emitter.tell("", null);
      };
      return pastAround(id, seq, { ...parts, view: new View(), changed });
    },

    send: (content, options) => send({ kind: "message", content: contentOf(content, options) }),
    edit: (targetSeq, text, { mentions } = {}) =>
      send({ kind: "edit", targetSeq, content: contentOf(text, mentions ? { mentions } : {}) } as Wish),
    wish: (event) => send(event as Wish), // ids are branded inside only
    recall: (targetSeq) => send({ kind: "recall", targetSeq }),
    react: (targetSeq, emoji) => send({ kind: "reaction", targetSeq, emoji } as Wish),
    markRead(seq = heldOf(sight().state.replica, id).covered) {
      const { read } = heldOf(sight().state.replica, id);
      if (seq > read) tell({ do: "tell", happening: { type: "read", conversationId: id, seq } });
    },
    typing: (active) => tell({ do: "tell", happening: { type: "typing", conversationId: id, active } }),
    searchLocal(words) {
      const wanted = words.trim().toLowerCase();
      const isHit = (line: { is: string }): line is Message => line.is === "message";
      if (wanted === "") return [];
      const messages = view.lines(id, sight()).filter(isHit);
      return messages.filter(({ text }) => text.toLowerCase().includes(wanted)).reverse();
    },

    async set(wanted) {
      const mine = await sessions.call("changeMine", { params, body: wanted });
      await run({ do: "tell", happening: { type: "set", conversationId: id, mine } });
      return mine;
    },
    async change(settings) {
      await know((await sessions.call("changeConversation", { params, body: settings })).conversation);
    },
    async clear() {
      await sessions.call("clearConversation", { params });
    },
    async deleteForMe(seq) {
      await sessions.call("deleteEvent", { params: { id, seq } });
    },
    async leave() {
      const { me } = sight();
      await sessions.call("removeMember", { params: { id, userId: me ?? "" } });
    },
    members: {
      async load() {
        const { conversation } = await sessions.call("conversation", { params });
        await know(conversation);
        return conversation.members;
      },
      async put(userId, role) {
        const body = role ? { role } : {};
        await know((await sessions.call("putMember", { params: { id, userId }, body })).conversation);
      },
      async remove(userId) {
        await sessions.call("removeMember", { params: { id, userId } });
      },
      online: async () => (await sessions.call("conversationPresence", { params })).users,
    },
    requests: {
      load: async () => (await sessions.call("joinRequests", { params })).requests,
      async accept(userId) {
        await know((await sessions.call("acceptRequest", { params: { id, userId } })).conversation);
      },
      async decline(userId) {
        await sessions.call("dropRequest", { params: { id, userId } });
      },
    },
    invites: {
      create: (options = {}) => sessions.call("createInvite", { params, body: options }),
      list: async () => (await sessions.call("invites", { params })).invites,
      async revoke(code) {
        await sessions.call("revokeInvite", { params: { id, code } });
      },
    },
    star: async (seq) => void (await run({ do: "star", conversationId: id, seq, starred: true })),
    unstar: async (seq) => void (await run({ do: "star", conversationId: id, seq, starred: false })),
    forward: (message, to) => forward(message, to as ConversationId, parts),
    receipts: (seq) => sessions.call("eventReceipts", { params: { id, seq } }),
    trace: (seq) => sessions.call("trace", { params: { id, seq } }),
  };
}

/** [LM-24] Media that lie on the server are claimed for the other conversation, and not sent again. */
async function forward(
  { content }: Pick<Message, "content">,
  to: ConversationId,
  { sessions, sendings }: Parts,
): Promise<Sending> {
  if (content.type === "gone") throw new EdgewiseError("not_found", { detail: "there is nothing to pass on" });
  const passed = forwarded(content as Content);
  if (passed.type !== "media") return sendings.send(to, { kind: "message", content: passed });
  const { mediaId } = await sessions.call("newMedia", { body: { conversationId: to, from: passed.mediaId } });
  return sendings.send(to, { kind: "message", content: { ...passed, mediaId } as Content });
}

type WishedContent = Extract<Wish, { kind: "message" }>["content"];

/** Ids are branded inside only; the server says where one is wrong. */
function contentOf(content: Sendable, { replyTo, mentions }: SendOptions = {}): WishedContent {
  const plain = typeof content === "string" ? { type: "text", text: content } : content;
  const about = { ...(replyTo === undefined ? {} : { replyTo }), ...(mentions?.length ? { mentions } : {}) };
  return { ...plain, ...about } as WishedContent;
}
