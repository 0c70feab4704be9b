import { describe, expect, test } from "vitest";
import { isComposing, isMeantEnter, type Key } from "./enter";

function key(extra: Partial<Key> = {}): Key {
  return { key: "Enter", keyCode: 13, isComposing: false, repeat: false, ...extra };
}

describe("an Enter that is meant", () => {
  test("is a plain one", () => {
    expect(isMeantEnter(key())).toBe(true);
    expect(isMeantEnter(key({ key: "a" }))).toBe(false);
  });

  test("is not the one that confirms a word", () => {
    expect(isMeantEnter(key({ isComposing: true }))).toBe(false);
  });

  test("is not the one that Safari sends after the word was confirmed", () => {
    expect(isMeantEnter(key({ keyCode: 229 }))).toBe(false);
  });

  test("is not a held one", () => {
    expect(isMeantEnter(key({ repeat: true }))).toBe(false);
  });
});

test("arrows and Escape belong to the input method, too", () => {
  expect(isComposing(key({ key: "ArrowDown", keyCode: 229 }))).toBe(true);
  expect(isComposing(key({ key: "Escape", keyCode: 27, isComposing: true }))).toBe(true);
  expect(isComposing(key({ key: "ArrowDown", keyCode: 40 }))).toBe(false);
});
