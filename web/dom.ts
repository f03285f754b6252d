/** The element of the page with this id. Throws when the page has none of this type: then page and script do not fit. */
export function byId<T extends HTMLElement>(id: string, type: abstract new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return element;
}

type Attributes = Record<string, string | boolean>;

/** Makes an element. Children that are strings become text, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "string") element.setAttribute(name, value);
    else element.toggleAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
/** One of the symbols that the page defines. `label`: what it says; without one it only decorates. */
export function icon(name: string, label?: string): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.setAttribute("class", "icon");
  svg.append(use);
  if (label === undefined) svg.setAttribute("aria-hidden", "true");
  else for (const [key, value] of Object.entries({ role: "img", "aria-label": label })) svg.setAttribute(key, value);
  return svg;
}

/** Sets text only where it differs, so that neither a selection nor a screen reader is disturbed. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

type Drawn = { key: string; drawn: string };

/**
 * Makes the children of `parent` the items, in order: keeps the element of an item whose drawing is the same, and moves only what has
 * to move. `drawingOf` names all that `draw` depends on. `draw` may change the element that it is given and answer that one: a click or
 * the focus that is on it is not lost then.
 */
export function syncChildren<T>(
  parent: HTMLElement,
  items: readonly T[],
  {
    keyOf,
    drawingOf,
    draw,
  }: {
    keyOf: (item: T) => string;
    drawingOf: (item: T) => string;
    draw: (item: T, old: Element | undefined) => Element;
  },
): void {
  const before = new Map([...parent.children].map((child) => [drawnOf(child).key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const drawn = { key: keyOf(item), drawn: drawingOf(item) };
    const old = before.get(drawn.key);
    before.delete(drawn.key);
    const child = old && drawnOf(old).drawn === drawn.drawn ? old : remember(draw(item, old), drawn);
    if (old && old !== child) old.replaceWith(child);
    if (place === old) place = child;
    if (place === child) place = child.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const child of before.values()) child.remove();
}

const drawings = new WeakMap<Element, Drawn>();
const drawnOf = (element: Element): Drawn => drawings.get(element) ?? { key: "", drawn: "" };
function remember(element: Element, drawn: Drawn): Element {
  drawings.set(element, drawn);
  return element;
}
