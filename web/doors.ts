import type * as z from "zod";
import type { ErrorCode } from "../src/protocol/errors.ts";
import type { DOORS, DoorName } from "../src/protocol/http.ts";
import { type Result, refuse } from "../src/protocol/result.ts";
import type { Client } from "../src/sdk/client/api.ts";
import { EdgewiseError } from "../src/sdk/client/errors.ts";

type Doors = typeof DOORS;
export type PageDoor = DoorName & keyof { [D in DoorName as Doors[D]["access"] extends "device" ? D : never]: true };

/** What a door answers when it does not refuse. */
export type Answer<D extends PageDoor> = {
  [S in keyof Doors[D]["answers"]]: Doors[D]["answers"][S] extends z.ZodType<infer T> ? T : null;
}[keyof Doors[D]["answers"]];
export type Call = {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
};
export type Called<D extends PageDoor> = Result<Answer<D>, ErrorCode>;

/** What calls doors as this device. */
export type Lend = { call<D extends PageDoor>(name: D, sent?: Call): Promise<Called<D>> };

/** A door as components want it: a refusal is an answer, too. */
export const lent = (client: Client): Lend => ({
  async call<D extends PageDoor>(name: D, sent: Call = {}): Promise<Called<D>> {
    try {
      // The page names doors and what they take as the contract does; the SDK has the same as types of its own.
      const value = (await client.call(name, sent as never)) as Answer<D>;
      return { ok: true, value };
    } catch (error) {
      return error instanceof EdgewiseError ? refuse(error.code, error.detail) : refuse("unavailable");
    }
  },
});
