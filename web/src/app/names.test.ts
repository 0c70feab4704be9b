import { expect, test } from "vitest";
import { initials } from "./names";

test.each([
  ["Ada Lovelace", "AL"],
  ["ada", "A"],
  ["Ada King Lovelace", "AL"],
  ["Ada (work)", "AW"],
  ["(Ada)", "A"],
  ["\u05e0\u05d5\u05e2\u05d4 (2)", "\u05e02"],
  ["Ada \u{1f308}", "A"],
  ["\u{1f308}", "\u{1f308}"],
  ["???", "?"],
  ["", "?"],
])("the letters of %s", (name, letters) => {
  expect(initials(name)).toBe(letters);
});
