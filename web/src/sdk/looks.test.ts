import { describe, expect, test } from "vitest";
import { looksOf, shownName } from "./looks";

describe("names that look alike", () => {
  for (const [what, one, other] of [
    ["case", "Ada Lovelace", "ADA lovelace"],
    ["accents", "José", "Jose"],
    ["composed or not", "Zo\u00eb", "Zoe\u0308"],
    ["compatibility forms", "Ada", "\uff21\uff44\uff41"],
    ["Cyrillic letters", "Ada Coper", "\u0410d\u0430 \u0421oper"],
    ["Greek letters", "Oto", "\u039fto"],
    ["capital i and small l", "Ilya", "llya"],
    ["digits", "Bo0", "Boo"],
    ["invisible characters", "Ada", "A\u200bd\u2060a\u00ad"],
    ["space", "Ada  Lovelace", "Ada\u00a0Lovelace"],
    ["dots", "A. Lovelace", "A Lovelace"],
    ["sharp s", "Strauß", "STRAUSS"],
  ] as const) {
    test(what, () => expect(looksOf(one)).toBe(looksOf(other)));
  }
});

test("names that differ do not", () => {
  const names = ["Ada", "Adam", "Ben", "Bea", "Ida", "田中", "田口", "Дмитрий", "Дмитро", "🙂", "🙃"];
  expect(new Set(names.map(looksOf)).size).toBe(names.length);
});

test("whoever has no full name is shown by their username", () => {
  expect(shownName({ username: "ada", full_name: " Ada Lovelace " })).toBe("Ada Lovelace");
  expect(shownName({ username: "ada", full_name: " " })).toBe("ada");
  expect(shownName({ username: "ada" })).toBe("ada");
});
