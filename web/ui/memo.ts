import { type ComponentType, type FunctionComponent, h } from "preact";

type Asked = { shouldComponentUpdate?: (next: object) => boolean; props: object };

/** Draws again only when a prop is another one, or a signal that it reads has changed. */
export function memo<P extends object>(component: ComponentType<P>): FunctionComponent<P> {
  return function Memo(this: Asked, props: P) {
    this.shouldComponentUpdate = (next) => differs(this.props, next);
    return h(component, props);
  };
}

function differs(a: object, b: object): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].some((name) => Reflect.get(a, name) !== Reflect.get(b, name));
}
