import { EdgewiseError } from "../../src/sdk/client/index.ts";
import { refusalText } from "../phrases.ts";
import { tell } from "./shows.ts";

/** Does what was asked for, or says why it could not be done; false then. */
export async function tried(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    const code = error instanceof EdgewiseError ? error.code : "unavailable";
    tell(refusalText(code));
    return false;
  }
}
