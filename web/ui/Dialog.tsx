import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { close } from "../model/shows.ts";
import { IconButton } from "./IconButton.tsx";

type Props = { id: string; title: string; children: ComponentChildren; role?: "alertdialog" };

/** Something over the page: it has the focus until it is closed, by its button, by Escape or by a click beside it. */
export function Dialog({ id, title, children, role }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const isOver = useRef(false);
  useLayoutEffect(() => {
    const back = document.activeElement;
    element.current?.showModal();
    element.current?.querySelector<HTMLElement>('[data-begins="true"]')?.focus();
    return () => {
      isOver.current = true; // its own farewell must not close what has taken its place
      element.current?.close();
      if (back instanceof HTMLElement && back.isConnected) back.focus();
    };
  }, []);
  return (
    <dialog
      id={id}
      ref={element}
      role={role}
      aria-labelledby={`${id}-title`}
      onClose={() => !isOver.current && close()}
      onPointerDown={(event) => {
        if (event.target === event.currentTarget && isBeside(event.currentTarget, event)) close();
      }}
    >
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        <IconButton icon="close" label="Close" onClick={close} />
      </header>
      {children}
    </dialog>
  );
}

function isBeside(element: HTMLElement, { clientX: x, clientY: y }: MouseEvent): boolean {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return x < left || x > right || y < top || y > bottom;
}

/** Leaves what lies over the page as if it had never been opened. */
export const Cancel = () => (
  <button type="button" onClick={close}>
    Cancel
  </button>
);
