import { EdgewiseError } from "../../src/sdk/client/index.ts";
import { refusalText } from "../phrases.ts";
import { placeFor, show } from "./screen.ts";

const HANDLE_RULE = "A handle has letters, digits, dots, dashes and underscores, and begins with a letter or digit";

/** Answers what is in the way, for a person. */
export async function signIn(isNew: boolean, handle: string, password: string): Promise<string> {
  const opened = await placeFor(isNew ? null : handle);
  try {
    await (isNew ? opened.client.signUp({ handle, password }) : opened.client.signIn({ handle, password }));
  } catch (error) {
    const code = error instanceof EdgewiseError ? error.code : "unavailable";
    return code === "invalid_request" ? HANDLE_RULE : refusalText(code);
  }
  show(opened);
  return "";
}
