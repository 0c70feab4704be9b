/** What people are called on the page, and which of them a reader could take for each other. Pure. */
import type { User } from "./types";

export type Named = Pick<User, "username" | "full_name">;

/** The name that is shown: the full name, or the username of whoever has none. */
export function shownName(user: Named): string {
  const fullName = user.full_name?.trim() ?? "";
  return fullName === "" ? user.username : fullName;
}

/**
 * The same for names that look the same at a glance: after compatibility forms, accents, case and invisible characters
 * are taken away, and letters of other scripts replaced by the Latin ones that they are drawn like. It may say so of
 * names that do differ; all that follows is that their usernames are shown, too.
 */
export function looksOf(name: string): string {
  const plain = name.normalize("NFKD").replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, "");
  const letters = Array.from(plain.toUpperCase().toLowerCase(), (letter) => DRAWN_LIKE.get(letter) ?? letter);
  return letters.join("").replace(/[\s\p{P}]+/gu, " ").trim();
}

/** Each word: a letter, and those that are drawn like it in one of its cases. From Unicode's confusables, the usual ones. */
const DRAWN_LIKE = new Map(
  "aаαɑ bвβ cсϲ dԁ eеεєҽ gɡ hнһη iіιıl1|ɩӏ jјϳ kкκ mм nո oοоσ0օ pрρ qԛ sѕ tтτ uυս vνѵ wԝω xхχ yуγү zζ"
    .split(" ")
    .flatMap(([latin = "", ...others]) => others.map((other) => [other, latin] as const)),
);
