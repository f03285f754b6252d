import { useEffect, useRef } from "preact/hooks";
import type { Taken } from "../model/takeout.ts";
import { sizeText, takeoutText } from "../phrases.ts";
import { Icon } from "./Icon.tsx";
import { useSession } from "./session-context.ts";

/** [AP-29] All that is the person's, to be saved as a file. What is seen counts on; what is said aloud changes only with the state. */
export function TakeOut() {
  const { takeout } = useSession();
  const state = takeout.state.value;
  const isRunning = state.is === "running";
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    if (state.is !== "nothing") section.current?.scrollIntoView({ block: "nearest" }); // what is told stands below
  }, [state.is]);
  return (
    <section id="takeout" ref={section} aria-labelledby="takeout-title">
      <h3 id="takeout-title">My data</h3>
      <p class="quiet">
        One file with your profile, devices, contacts, conversations and all messages in them, and a list of what you
        have uploaded. It has a line of JSON for each.
      </p>
      {state.is === "running" && (
        <>
          <progress aria-label="Download of my data" />
          <p class="quiet" id="takeout-progress">
            {takeoutText(state.progress)}
          </p>
        </>
      )}
      {/* One button, so that the focus stays on it. */}
      <button type="button" onClick={() => (isRunning ? takeout.cancel() : void takeout.start())}>
        {!isRunning && <Icon name="download" />}
        {isRunning ? "Cancel the download" : "Download my data"}
      </button>
      <p class="problem" role="alert">
        {state.is === "failed" ? state.problem : ""}
      </p>
      <p id="takeout-said" role="status" class={state.is === "saved" ? "" : "unseen"}>
        {saidOf(state)}
      </p>
    </section>
  );
}

function saidOf(state: Taken): string {
  if (state.is === "running") return "Downloading your data";
  return state.is === "saved" ? `Done: ${state.name} (${sizeText(state.bytes)}) is among your downloads.` : "";
}
