import { useLayoutEffect, useRef } from "preact/hooks";
import { toast } from "../model/shows.ts";

/** What is told for a moment. It lies on whatever is open: what is done in a dialog is told there, too. [AP-48] */
export function Toast() {
  const element = useRef<HTMLParagraphElement>(null);
  useLayoutEffect(() => {
    if (element.current?.matches(":popover-open")) element.current.hidePopover(); // what is shown last lies on top
    element.current?.showPopover();
  }, [toast.value]);
  return (
    <p id="toast" ref={element} popover="manual" role="status" data-shows={toast.value !== ""}>
      {toast}
    </p>
  );
}
