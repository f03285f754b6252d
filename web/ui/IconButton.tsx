import type { ComponentProps } from "preact";
import { Icon, type IconName } from "./Icon.tsx";

type Props = Omit<ComponentProps<"button">, "icon" | "label"> & { icon: IconName; label: string };

/** A button that shows a symbol and says words. */
export function IconButton({ icon, label, class: more, ...rest }: Props) {
  return (
    <button type="button" class={`bare ${more ?? ""}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}
