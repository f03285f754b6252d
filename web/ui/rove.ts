const ROVING = ["button.tick", "button.more", "button.chip", "button.quote"];

/**
 * Of all ticks, one is reached with the Tab key, the newest at first; from there the arrows lead to the others; and so of all menus and
 * of all reactions. So the keyboard's way from the list to the composer is not as long as the log. [CL-37]
 */
export function rove(rows: HTMLElement): void {
  const groups = ROVING.map((selector) => [...rows.querySelectorAll<HTMLElement>(selector)]);
  for (const group of groups) choose(group, group.find((each) => each.matches(":focus")) ?? group.at(-1));
  rows.onkeydown = (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const group = groups.find((each) => each.some((button) => button.matches(":focus"))) ?? [];
    const at = group.findIndex((button) => button.matches(":focus"));
    const next = step === undefined || at < 0 ? undefined : group[at + step];
    if (!next) return;
    event.preventDefault();
    choose(group, next);
    next.focus();
  };
}

function choose(group: readonly HTMLElement[], chosen: HTMLElement | undefined): void {
  for (const each of group) each.tabIndex = each === chosen ? 0 : -1;
}
