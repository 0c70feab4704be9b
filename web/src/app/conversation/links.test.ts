import { expect, test } from "vitest";
import { findLinks } from "./links";

function hrefs(text: string): string[] {
  return findLinks(text).flatMap((piece) => piece.href ?? []);
}

test("text without an address stays one piece", () => {
  expect(findLinks("just words, 3:4 and a.b")).toEqual([{ text: "just words, 3:4 and a.b" }]);
});

test("nothing gives nothing", () => {
  expect(findLinks("")).toEqual([]);
});

test("the pieces put together are the text", () => {
  const text = "see https://a.example/x, (http://b.example/y) and https://c.example/z_(d)!";
  expect(findLinks(text).map((piece) => piece.text).join("")).toBe(text);
});

test("punctuation and brackets around an address are not part of it", () => {
  expect(hrefs("look: https://a.example/x?y=1&z=2.")).toEqual(["https://a.example/x?y=1&z=2"]);
  expect(hrefs("(https://a.example/b)")).toEqual(["https://a.example/b"]);
  expect(hrefs("https://a.example/b_(c)")).toEqual(["https://a.example/b_(c)"]);
});

test("schemes that run code are not links", () => {
  expect(hrefs("javascript:alert(1) data:text/html,x file:///etc/passwd")).toEqual([]);
});

test("markup in the neighbourhood does not get into an address", () => {
  expect(hrefs('https://a.example/"><img src=x onerror=alert(1)>')).toEqual(["https://a.example/"]);
});
