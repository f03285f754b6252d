import { env as bindings } from "cloudflare:workers";
import type { Env } from "../../../src/platform/env.ts";

const env = bindings as unknown as Env;

/** How a call fails that does not arrive, and is not worth trying again. */
export const CUT = Object.assign(new Error("overloaded"), { overloaded: true });

export type Call = { to: string; method: string; args: unknown[] };

/** The wire between the doors and the real inboxes. A call passes once `before` is through; it is cut where that fails. */
export class InboxWire {
  /** What has arrived, in order. */
  readonly passed: Call[] = [];
  before: (call: Call) => Promise<unknown>;

  constructor(before: (call: Call) => Promise<unknown> = async () => {}) {
    this.before = before;
  }

  readonly inboxes = {
    getByName: (to: string) =>
      new Proxy(
        {},
        {
          get:
            (_, method: string) =>
            (...args: unknown[]) =>
              this.pass({ to, method, args }),
        },
      ),
  } as unknown as Env["INBOXES"];

  private async pass(call: Call): Promise<unknown> {
    await this.before(call);
    this.passed.push(call);
    const inbox = env.INBOXES.getByName(call.to) as unknown as Record<string, Ask>;
    return inbox[call.method]?.(...call.args);
  }
}
type Ask = (...args: unknown[]) => Promise<unknown>;

export const over = (wire: InboxWire): Partial<Env> => ({ INBOXES: wire.inboxes });

/** The directory, where a statement that begins so says when it comes, and comes no sooner than `first` is through. */
export function directoryHeldAt(verb: string, reached: () => void, first: Promise<unknown>): D1Database {
  const hold = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get: (target, name) => {
        if (name === "bind") return (...values: unknown[]) => hold(target.bind(...values));
        const member = Reflect.get(target, name);
        return async (...args: unknown[]) => {
          reached();
          await first;
          return member.apply(target, args);
        };
      },
    });
  const prepare = (query: string) => {
    const statement = env.DIRECTORY.prepare(query);
    return query.toUpperCase().startsWith(verb) ? hold(statement) : statement;
  };
  const batch = (statements: D1PreparedStatement[]) => env.DIRECTORY.batch(statements);
  return { prepare, batch } as unknown as D1Database;
}

/** The directory as a crash leaves it: statements that begin so never come. */
export function directoryCutAt(verb: string): D1Database {
  const never = Promise.reject(new Error("D1_ERROR: network connection lost"));
  never.catch(() => {});
  return directoryHeldAt(verb, () => {}, never);
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Something that can be waited for, and let go. */
export function gate(): { open: () => void; passed: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, passed: promise };
}
