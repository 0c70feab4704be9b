/** Whom a picker offers and whom Enter would choose, from what was typed and what was answered. Pure. */
import type { User } from "../../sdk";

/** What the engine answered to one query. */
export interface Answer {
  readonly query: string;
  readonly people: readonly User[];
  readonly problem: string | null;
}

export interface Offer {
  readonly people: readonly User[];
  /** The answer to what is typed now is not here yet: what is shown answers an older question. */
  readonly stale: boolean;
  /** Whom Enter chooses: nobody while the list is stale, and nobody while nothing was typed or pointed at. */
  readonly current: User | null;
}

export function offerOf(
  query: string,
  answer: Answer | null,
  exclude: readonly string[],
  highlightedId: string | null,
): Offer {
  const people = answer?.people.filter((user) => !exclude.includes(user.id)) ?? [];
  const stale = answer?.query !== query.trim();
  if (stale) return { people, stale, current: null };
  // By person, not by place in the list: the list may change under the highlight.
  const highlighted = people.find((user) => user.id === highlightedId);
  const best = query.trim() === "" ? undefined : people[0];
  return { people, stale, current: highlighted ?? best ?? null };
}

/** Whom an arrow key points at; before the first one there is nobody. */
export function neighbour(offer: Offer, step: 1 | -1): User | null {
  if (offer.stale) return null;
  const at = offer.current === null ? (step === 1 ? -1 : offer.people.length) : offer.people.indexOf(offer.current);
  const next = Math.min(Math.max(at + step, 0), offer.people.length - 1);
  return offer.people[next] ?? null;
}
