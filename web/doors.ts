import { type Result, refuse } from "../src/protocol/result.ts";
import { type CallArguments, type Client, EdgewiseError } from "../src/sdk/client/index.ts";
import type { DoorName, Doors, ErrorCode } from "./wire.ts";

/** What a door answers when it does not refuse. */
export type Answer<D extends DoorName> = Doors[D]["answer"];
type Answered<T> = Promise<Result<T, ErrorCode>>;

/** What calls doors as this device. */
export type Lend = { call<D extends DoorName>(name: D, ...sent: CallArguments<D>): Answered<Answer<D>> };

/** As components want it: a refusal is an answer, too. */
export const answered = <T>(act: Promise<T>): Answered<T> =>
  act.then(
    (value) => ({ ok: true, value }),
    (error) => (error instanceof EdgewiseError ? refuse(error.code, error.detail) : refuse("unavailable")),
  );

export const lent = (client: Client): Lend => ({ call: (name, ...sent) => answered(client.call(name, ...sent)) });
