/** Line icons on a 24 × 24 grid, in the colour of the text around them. */
const PATHS = {
  add: "M12 5v14M5 12h14",
  alert: "M12 8v5M12 16.500v.01M12 3 2.500 20h19z",
  back: "M15 5l-7 7 7 7",
  check: "M5 12.500l4.500 4.500L19 7.500",
  "check-double": "M2 12.500l4.500 4.500L16 7.500M11.500 16l1 1L22 7.500",
  clock: "M12 7v5l3 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  close: "M6 6l12 12M18 6 6 18",
  compose: "M12 5H6a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-6M18.500 3.500a1.800 1.800 0 0 1 2.500 2.500L13 14l-3.500 1 1-3.500z",
  device: "M4 5h16v11H4zM9 20h6M12 16v4",
  down: "M12 5v14M6 13l6 6 6-6",
  hash: "M9.500 4 8 20M16 4l-1.500 16M4.500 9h16M3.500 15h16",
  history: "M4 4v5h5M4.500 9a8 8 0 1 1-.500 5M12 8v4.500l3 2",
  info: "M12 11v5M12 8v.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  people: "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20c.300-4 3-6 6.500-6s6.200 2 6.500 6M16 4.500a3.500 3.500 0 0 1 0 6M17.500 14.500c2.300.700 3.800 2.500 4 5.500",
  send: "M4 12 3 4l18 8-18 8 1-8zM4 12h8",
  "sign-out": "M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15 8l4 4-4 4M19 12H9",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration only: whatever carries it has its own label. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
