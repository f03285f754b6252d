import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { EMOJI } from "../emoji.ts";
import { picker } from "../model/shows.ts";
import { place } from "./open-menu.ts";

/** Emoji to choose from, by name or by kind. All of them are in the page: nothing is fetched. */
export function EmojiPicker() {
  const popover = useRef<HTMLDivElement>(null);
  const query = useSignal("");
  const opened = picker.value;
  useLayoutEffect(() => {
    const element = popover.current;
    if (!opened || !element) return;
    query.value = "";
    const put = () => place(element, opened.at);
    addEventListener("resize", put);
    element.showPopover();
    put();
    const hasKeys = matchMedia("(pointer: fine)").matches; // else a keyboard would come up over half of them
    (hasKeys ? element.querySelector("input") : element)?.focus();
    return () => removeEventListener("resize", put);
  }, [opened]);
  const choose = (emoji: string) => {
    popover.current?.hidePopover();
    opened?.chosen(emoji);
  };
  const wanted = query.value.trim().toLowerCase();
  return (
    <div
      id="emoji-picker"
      ref={popover}
      popover="auto"
      role="dialog"
      tabIndex={-1}
      aria-label="Emoji"
      onToggle={(event) => {
        if (event.newState === "closed" && picker.peek() === opened) picker.value = null;
      }}
      onKeyDown={moveInGrid}
    >
      {opened && (
        <>
          <input
            type="search"
            aria-label="Search emoji"
            placeholder="Search emoji"
            autocomplete="off"
            value={query}
            onInput={({ currentTarget }) => (query.value = currentTarget.value)}
          />
          <div class="kinds">
            {EMOJI.map(([kind, all]) => {
              const found = all.filter(([, name]) => name.includes(wanted));
              return (
                found.length > 0 && (
                  <section key={kind} aria-label={kind}>
                    <h2>{kind}</h2>
                    <div class="grid">
                      {found.map(([emoji, name]) => (
                        <button
                          key={emoji}
                          type="button"
                          class="bare"
                          aria-label={name}
                          title={name}
                          onClick={() => choose(emoji)}
                        >
                          {emoji}
                        </button>
                      ))}
                    </div>
                  </section>
                )
              );
            })}
          </div>
        </>
      )}
    </div>
  );
}

/** Emoji in a line of the grid. */
const WIDE = 8;

function moveInGrid(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>(".grid button")];
  const at = buttons.indexOf(document.activeElement as HTMLElement);
  if (at < 0 && event.key === "Enter") {
    event.preventDefault();
    buttons[0]?.click();
  }
  const step = { ArrowUp: -WIDE, ArrowDown: at < 0 ? 1 : WIDE, ArrowLeft: at < 0 ? 0 : -1, ArrowRight: at < 0 ? 0 : 1 }[
    event.key
  ];
  if (!step) return;
  event.preventDefault();
  buttons[Math.max(0, Math.min(at + step, buttons.length - 1))]?.focus();
}
