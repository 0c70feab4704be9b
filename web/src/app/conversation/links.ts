/** Finds web addresses in plain text. Only http and https become links: anything else could run in our page. */
export interface Piece {
  readonly text: string;
  readonly href?: string;
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+/gi;
/** Punctuation at the end belongs to the sentence, not to the address. */
const TRAILING = /[.,:;!?…]+$/;
const BRACKETS: readonly (readonly [string, string])[] = [["(", ")"], ["[", "]"], ["{", "}"]];

export function findLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimEnd(match[0]);
    const href = safeHref(address);
    if (href === null) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

function trimEnd(address: string): string {
  let trimmed = address.replace(TRAILING, "");
  for (const [open, close] of BRACKETS) {
    // "(see https://a.example/b)" ends before the bracket; "https://a.example/b_(c)" does not.
    while (trimmed.endsWith(close) && trimmed.split(close).length > trimmed.split(open).length) {
      trimmed = trimmed.slice(0, -1).replace(TRAILING, "");
    }
  }
  return trimmed;
}

function safeHref(address: string): string | null {
  try {
    const url = new URL(address);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}
