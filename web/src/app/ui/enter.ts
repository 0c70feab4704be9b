/**
 * Keys that are meant for the page. An Enter may belong to somebody else, or be an old one:
 *
 * - An input method confirms a word with it (Japanese, Chinese, Korean). Most browsers say `isComposing` then. Safari
 *   ends the composition first and sends the key afterwards; only its code, 229, tells it from a real Enter.
 * - A key that is held down repeats. What it meant happened the first time, and by now something else has the focus.
 */
export interface Key {
  readonly key: string;
  readonly keyCode: number;
  readonly isComposing: boolean;
  readonly repeat: boolean;
}

/** The code of every key that an input method has taken. */
const TAKEN_BY_INPUT_METHOD = 229;

/** The key belongs to an input method: Enter confirms a word, arrows choose among words, Escape gives one up. */
export function isComposing(key: Key): boolean {
  return key.isComposing || key.keyCode === TAKEN_BY_INPUT_METHOD;
}

/** Somebody pressed Enter, here and now. */
export function isMeantEnter(key: Key): boolean {
  return key.key === "Enter" && !isComposing(key) && !key.repeat;
}

/**
 * Keeps every other Enter from submitting a form or pressing a button, wherever on the page. Text areas are left alone:
 * there Enter is a line break, and whoever listens to it asks `isMeantEnter`.
 */
export function guardEnter(page: Window): () => void {
  const guard = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || isMeantEnter(event) || event.target instanceof HTMLTextAreaElement) return;
    event.preventDefault();
  };
  page.addEventListener("keydown", guard, { capture: true });
  return () => page.removeEventListener("keydown", guard, { capture: true });
}
