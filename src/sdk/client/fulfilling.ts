import type { Asking } from "./asking.ts";
import type { Command } from "./commands.ts";
import type { Screens } from "./screens.ts";
import type { SessionLife } from "./session-life.ts";

type Of<D extends Command["do"]> = Extract<Command, { do: D }>;
/** Who does what tabs ask for. */
type Parts = {
  readonly say: (happening: Of<"tell">["happening"]) => void;
  readonly know: (known: Omit<Of<"know">, "do">) => void;
  readonly life: SessionLife;
  readonly asking: Asking;
  readonly screens: Screens;
  readonly flush: () => Promise<void>;
};

/** Resolves when it is done, and what it changed is on the disk; rejects with an `EdgewiseError`. `tab`: who asks. */
export async function fulfil(tab: string, command: Command, parts: Parts): Promise<unknown> {
  const { say, know, life, asking, screens, flush } = parts;
  switch (command.do) {
    case "tell":
      say(command.happening);
      break;
    case "know":
      know(command);
      break;
    case "enter":
      await life.enter(command);
      break;
    case "sign_out":
      await life.signOut();
      break;
    case "erase":
      await life.erase(command.proof);
      break;
    case "contacts":
      await asking.contacts();
      break;
    case "star":
      await asking.star(command);
      break;
    case "older": {
      const count = await asking.older(command.conversationId);
      await flush();
      return count;
    }
    case "rest":
      return screens.rest();
    case "show":
      screens.show(tab, command);
      return null;
    case "gone":
      screens.gone(tab);
      return null;
    case "connect":
    case "disconnect":
      screens.want(command.do);
      return null;
    case "over":
      await life.over();
  }
  await flush();
  return null;
}
