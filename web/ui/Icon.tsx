const PATHS = {
  pin: "M9 3h6l-1 6 4 4v2H6v-2l4-4zM12 15v6",
  bell: "M6 10a6 6 0 0 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7M10 20.5h4",
  muted: "M8 5.5A6 6 0 0 1 18 10c0 5 2 6 2 7H8m-4 0c0-1 2-2 2-7M10 20.5h4M4 3.5l17 17",
  archive: "M3.5 4.5h17v4h-17zM5 8.5v11h14v-11M10 12.5h4",
  settings:
    "M4 7h8M18 7h2M4 17h2M12 17h8M15 4.8a2.2 2.2 0 1 0 0 4.4a2.2 2.2 0 0 0 0-4.4M9 14.8a2.2 2.2 0 1 0 0 4.4a2.2 2.2 0 0 0 0-4.4",
  attach: "m20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.5 3.5 0 0 1 5 5l-8.5 8.5a2 2 0 0 1-3-3L14 7",
  close: "m6 6 12 12M18 6 6 18",
  back: "m14.5 5-7 7 7 7",
  send: "M4.5 12 3.5 4.5 21 12 3.5 19.5zM4.5 12H11",
  smile: "M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17M8.5 14.5c1.6 2.3 5.4 2.3 7 0M9 9.5v.5M15 9.5v.5",
  mic: "M12 3.5a2.8 2.8 0 0 0-2.8 2.8v5a2.8 2.8 0 0 0 5.6 0v-5A2.8 2.8 0 0 0 12 3.5M6 11a6 6 0 0 0 12 0M12 17v3.5",
  camera: "M4 8h3.5L9 5.5h6L16.5 8H20v11H4zM12 10a3.3 3.3 0 1 0 0 6.6a3.3 3.3 0 0 0 0-6.6",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M15.5 15.5 20.5 20.5",
  write: "M4 20h4L19.5 8.5l-4-4L4 16zM13 7l4 4",
  people:
    "M9 5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7M2.5 19.5c.5-4 3-6 6.5-6s6 2 6.5 6M16 5.5a3 3 0 0 1 0 6M18 14c2 .8 3.2 2.6 3.5 5.5",
  up: "m5 14.5 7-7 7 7",
  star: "m12 3.8 2.5 5.3 5.7.8-4.1 4.1 1 5.8-5.1-2.8-5.1 2.8 1-5.8-4.1-4.1 5.7-.8z",
  forward: "m14.5 6 5.5 5.5-5.5 5.5M19.5 11.5H10c-4 0-6 2.5-6 7",
  flag: "M6 21V4M6 4.5c4-2.5 7 2 12 0v9c-5 2-8-2.5-12 0",
  down: "m5 9.5 7 7 7-7",
  reply: "M9.5 6 4 11.5 9.5 17M4.5 11.5H14c4 0 6 2.5 6 7",
  copy: "M8.5 8.5h11v11h-11zM15.5 8.5v-4h-11v11h4",
  trash: "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 12.5h9l1-12.5M10 11v5M14 11v5",
  info: "M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17M12 11v5M12 7.8v.4",
  more: "M12 6v.01M12 12v.01M12 18v.01",
  play: "M8 5.5v13l10.5-6.5z",
  pause: "M9 5.5v13M15 5.5v13",
  file: "M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5",
  plus: "M12 5v14M5 12h14",
  link: "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.7l-1.3 1.3M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.7 5.7l1.3-1.3",
  block: "M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17M6 6l12 12",
  out: "M10 4.5H5v15h5M15 8l4 4-4 4M9 12h10",
  timer: "M12 6a7.5 7.5 0 1 0 0 15a7.5 7.5 0 0 0 0-15M12 9.5v4l2.5 2M9.5 3h5",
  download: "M12 4v11M7 10.5l5 5 5-5M4.5 20h15",
  device: "M5 5h14v10H5zM2.5 18.5h19",
} as const;
export type IconName = keyof typeof PATHS;

/** A symbol. `label`: what it says; without one it only decorates. */
export function Icon({ name, label }: { name: IconName; label?: string }) {
  if (label === undefined)
    return (
      <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
        <path d={PATHS[name]} />
      </svg>
    );
  return (
    <svg class="icon" viewBox="0 0 24 24" role="img" aria-label={label}>
      <path d={PATHS[name]} />
    </svg>
  );
}

/** On every button that sends. */
export const SendSign = () => (
  <svg class="icon filled" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M3.5 4.5 21 12 3.5 19.5 5.5 12.7 14 12 5.5 11.3z" />
  </svg>
);
