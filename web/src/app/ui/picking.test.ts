import { describe, expect, test } from "vitest";
import type { User } from "../../sdk";
import { neighbour, offerOf } from "./picking";

const [ada, ben, cleo] = ["ada", "ben", "cleo"].map((name) => ({ id: name, username: name }) as User) as [User, User, User];
const answer = (query: string, ...people: User[]) => ({ query, people, problem: null });

describe("Enter chooses", () => {
  test("the first one of the answer to what was typed", () => {
    expect(offerOf("b", answer("b", ben, ada), [], null).current).toBe(ben);
    expect(offerOf(" b ", answer("b", ben, ada), [], null).current).toBe(ben);
  });

  test("nobody while the answer to what was typed is not here", () => {
    const offer = offerOf("be", answer("", ada, ben), [], null);
    expect(offer.stale).toBe(true);
    expect(offer.current).toBeNull();
    expect(offerOf("be", null, [], null).current).toBeNull();
  });

  test("nobody of an old list, not even somebody who was pointed at in it", () => {
    expect(offerOf("be", answer("b", ben, ada), [], "ada").current).toBeNull();
  });

  test("nobody while nothing was typed, unless somebody was pointed at", () => {
    expect(offerOf("", answer("", ada, ben), [], null).current).toBeNull();
    expect(offerOf("", answer("", ada, ben), [], "ben").current).toBe(ben);
  });

  test("the one who was pointed at, wherever the list has put them", () => {
    expect(offerOf("x", answer("x", cleo, ada, ben), [], "ben").current).toBe(ben);
    expect(offerOf("x", answer("x", cleo, ada, ben), ["cleo"], "ben").current).toBe(ben);
    expect(offerOf("x", answer("x", cleo, ada), [], "ben").current).toBe(cleo);
  });
});

describe("arrows", () => {
  test("start at the ends and stay within the list", () => {
    const untouched = offerOf("", answer("", ada, ben), [], null);
    expect(neighbour(untouched, 1)).toBe(ada);
    expect(neighbour(untouched, -1)).toBe(ben);
    const last = offerOf("", answer("", ada, ben), [], "ben");
    expect(neighbour(last, 1)).toBe(ben);
    expect(neighbour(last, -1)).toBe(ada);
  });

  test("have nobody to go to in an old or empty list", () => {
    expect(neighbour(offerOf("be", answer("", ada), [], null), 1)).toBeNull();
    expect(neighbour(offerOf("be", answer("be"), [], null), 1)).toBeNull();
  });
});
