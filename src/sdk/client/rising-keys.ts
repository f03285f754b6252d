import type { IdempotencyKey } from "../../protocol/ids.ts";
import type { Happening, MintRequest, NewKey } from "../happenings.ts";
import type { KeyMint } from "../keys.ts";
import type { ClientChange } from "./state.ts";

type Wish = Extract<Happening, { type: "wish" }>;
/** Which wish a key that is not its name stands for. */
const alias = (key: IdempotencyKey, wishId: IdempotencyKey): ClientChange => ({ type: "alias", key, wishId });

/** [CL-14] [CL-48] Tabs mint apart, and what they wish for may meet in another order where one leads: the keys that leave rise all the same. */
export class RisingKeys {
  readonly #mint: KeyMint;
  #newest = "";

  constructor(mint: KeyMint) {
    this.#mint = mint;
  }

  /** `newest`: of this device's keys that are known here. */
  begin(newest: string): void {
    this.#newest = newest;
  }

  /** The wish under a key that is newer than all before it; it keeps its name. `now`: epoch ms. */
  risen(wish: Wish, now: number): { readonly wish: Wish; readonly also: readonly ClientChange[] } {
    const { idempotencyKey: wishId } = wish;
    const isNewest = wishId > this.#newest;
    const key = isNewest ? wishId : this.#mint.mint(now, this.#newest);
    this.#newest = key;
    return { wish: { ...wish, idempotencyKey: key, wishId }, also: isNewest ? [] : [alias(key, wishId)] };
  }

  /** New keys for wishes whose own were too old for the server. */
  minted(
    { wishIds, above }: MintRequest,
    now: number,
  ): { readonly keys: readonly NewKey[]; readonly also: readonly ClientChange[] } {
    const keys = wishIds.map((wishId) => ({ wishId, idempotencyKey: this.#mint.mint(now, above) }));
    for (const { idempotencyKey } of keys) if (idempotencyKey > this.#newest) this.#newest = idempotencyKey;
    return { keys, also: keys.map(({ wishId, idempotencyKey }) => alias(idempotencyKey, wishId)) };
  }
}
