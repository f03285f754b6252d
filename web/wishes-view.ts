import { ERRORS } from "../src/protocol/errors.ts";
import type { Conversation, Profile } from "../src/protocol/http.ts";
import type { ConversationId } from "../src/protocol/ids.ts";
import type { Tokens } from "./accounts.ts";
import { byId, setText } from "./dom.ts";
import { call } from "./doors.ts";
import type { Names } from "./names.ts";

type Opened = (id: ConversationId) => void;

/** The two forms that open a conversation: with one person, or a new group. */
export class WishesView {
  readonly #tokens: Tokens;
  readonly #names: Names;
  readonly #opened: Opened;

  constructor(tokens: Tokens, names: Names, opened: Opened) {
    this.#tokens = tokens;
    this.#names = names;
    this.#opened = opened;
    this.#onSubmit("open-form", (data) => this.#openDirect(String(data.get("handle"))));
    this.#onSubmit("group-form", (data) => this.#makeGroup(String(data.get("title")), String(data.get("handles"))));
  }

  /** Runs the wish once at a time; shows what it answers as a problem, or empties the form. */
  #onSubmit(id: string, wish: (data: FormData) => Promise<string | null>): void {
    const form = byId(id, HTMLFormElement);
    form.onsubmit = async (event) => {
      event.preventDefault();
      form.inert = true;
      const problem = await wish(new FormData(form));
      form.inert = false;
      setText(byId("side-problem", HTMLElement), problem ?? "");
      if (problem === null) form.reset();
    };
  }

  async #openDirect(handle: string): Promise<string | null> {
    const token = await this.#token();
    const user = token ? await this.#find(handle, token) : OFFLINE;
    if (typeof user === "string" || !token) return typeof user === "string" ? user : OFFLINE;
    const answer = await call("openDirect", { params: { userId: user.userId }, token });
    if (!answer.ok) return answer.code === "invalid_request" ? "That is you" : ERRORS[answer.code].title;
    return this.#open(answer.value.conversation);
  }

  async #makeGroup(title: string, handles: string): Promise<string | null> {
    const token = await this.#token();
    if (!token) return OFFLINE;
    const found = await Promise.all(
      handles
        .split(/[\s,]+/)
        .filter(Boolean)
        .map((handle) => this.#find(handle, token)),
    );
    const problem = found.find((user) => typeof user === "string");
    if (typeof problem === "string") return problem;
    const memberIds = found.flatMap((user) => (typeof user === "string" ? [] : [user.userId]));
    const answer = await call("createGroup", { body: { title, memberIds }, token });
    if (!answer.ok) return ERRORS[answer.code].title;
    byId("group", HTMLDetailsElement).open = false;
    return this.#open(answer.value.conversation);
  }

  async #token(): Promise<string | null> {
    const token = await this.#tokens.fresh();
    return token === "signed_out" ? null : token;
  }

  async #find(handle: string, token: string): Promise<Profile | string> {
    const answer = await call("findUser", { query: { handle: handle.trim() }, token });
    if (!answer.ok) return answer.code === "not_found" ? `Nobody is called ${handle}` : ERRORS[answer.code].title;
    this.#names.keepUser(answer.value);
    return answer.value;
  }

  #open(conversation: Conversation): null {
    this.#names.keep(conversation);
    this.#opened(conversation.conversationId);
    return null;
  }
}

const OFFLINE = "The server did not answer";
