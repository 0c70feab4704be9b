import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";

/** This close to the end counts as being there: fractions of a pixel and a nudge of the wheel do not. */
const BOTTOM_PX = 48;

/** Closer than this to the top, it is time to fetch older rows. */
const TOP_PX = 400;

export interface Scroll {
  readonly atBottom: boolean;
  readonly nearTop: boolean;
  toBottom: () => void;
}

/**
 * Keeps a list where its reader is: at the end while they are at the end, else at the row that they look at, whatever
 * is added above or below. The browser's own scroll anchoring is switched off in the style sheet; it does not work at
 * the very top, which is where older messages are added.
 */
export function useScroll(ref: RefObject<HTMLDivElement | null>, rows: number): Scroll {
  const stuck = useRef(true);
  const anchor = useRef<{ readonly row: HTMLElement; readonly offsetPx: number } | null>(null);
  const [view, setView] = useState({ atBottom: true, nearTop: true });

  const toBottom = useCallback(() => {
    stuck.current = true;
    const scroller = ref.current;
    scroller?.scrollTo({ top: scroller.scrollHeight });
  }, [ref]);

  const look = useCallback(() => {
    const scroller = ref.current;
    if (scroller === null) return;
    const { scrollTop: topPx, scrollHeight, clientHeight } = scroller;
    const atBottom = scrollHeight - topPx - clientHeight < BOTTOM_PX;
    stuck.current = atBottom;
    const row = firstVisible(scroller, topPx);
    anchor.current = row === null ? null : { row, offsetPx: row.offsetTop - topPx };
    const nearTop = topPx < TOP_PX;
    // Most movements change neither, and must not draw thousands of rows again.
    setView((before) => (before.atBottom === atBottom && before.nearTop === nearTop ? before : { atBottom, nearTop }));
  }, [ref]);

  const restore = useCallback(() => {
    const scroller = ref.current;
    if (scroller === null) return;
    if (stuck.current) scroller.scrollTop = scroller.scrollHeight;
    else if (anchor.current?.row.isConnected === true) {
      scroller.scrollTop = anchor.current.row.offsetTop - anchor.current.offsetPx;
    }
    look();
  }, [ref, look]);

  useLayoutEffect(restore, [restore, rows]);

  useEffect(() => {
    const scroller = ref.current;
    if (scroller === null) return;
    // The window, the keyboard of a phone, a growing text field or a late font: all change what fits.
    const resized = new ResizeObserver(restore);
    resized.observe(scroller);
    if (scroller.firstElementChild !== null) resized.observe(scroller.firstElementChild);
    scroller.addEventListener("scroll", look, { passive: true });
    return () => {
      resized.disconnect();
      scroller.removeEventListener("scroll", look);
    };
  }, [ref, look, restore]);

  return { ...view, toBottom };
}

/** The first row whose end is below the upper edge: by halving, because there may be thousands. */
function firstVisible(scroller: HTMLElement, topPx: number): HTMLElement | null {
  const rows = scroller.firstElementChild?.children;
  if (rows === undefined) return null;
  // The first child is not a row: it says "loading" or "beginning" and changes its size.
  let low = 1;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle] as HTMLElement;
    if (row.offsetTop + row.offsetHeight > topPx) high = middle;
    else low = middle + 1;
  }
  let row = rows[low];
  // Headings of days come and go with the rows around them: only a message or a system line stays.
  while (row !== undefined && !row.hasAttribute("data-seq")) row = row.nextElementSibling ?? undefined;
  return (row as HTMLElement | undefined) ?? null;
}
