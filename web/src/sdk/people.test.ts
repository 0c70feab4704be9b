import { beforeEach, expect, test } from "vitest";
import { People } from "./people";
import { ManualClock } from "./testing/manual-clock";
import type { PartyProfile, Person } from "./types";

let clock: ManualClock;
let asked: (readonly string[])[];
/** What the engine knows; null: it is away. */
let known: PartyProfile[] | null;
let people: People;

beforeEach(() => {
  clock = new ManualClock();
  asked = [];
  known = [];
  const parties = (ids: readonly string[]) => {
    asked.push(ids);
    return known === null ? Promise.reject(new Error("away")) : Promise.resolve({ parties: known });
  };
  people = new People({ parties }, clock);
});

function person(id: string, fullName: string): Person {
  return { id, username: id, full_name: fullName };
}

/** Time for requests and their answers. */
async function answered(ms = 0): Promise<void> {
  await clock.advance(ms);
}

function alike(): string[] {
  return [...people.alike.get()].sort();
}

test("two who look alike are told apart as soon as both are known", () => {
  people.learn([person("ada", "Ada Lovelace"), person("ben", "Ben")]);
  expect(alike()).toEqual([]);
  people.learn([person("eve", "\u0410da Lovelace")]);
  expect(alike()).toEqual(["ada", "eve"]);
});

test("one who has another name now looks like nobody any more", () => {
  people.learn([person("ada", "Ada"), person("eve", "Ada")]);
  people.learn([person("eve", "Eve")]);
  expect(alike()).toEqual([]);
});

test("the same person twice is one", () => {
  people.learn([person("ada", "Ada")]);
  people.learn([person("ada", "Ada")]);
  expect(alike()).toEqual([]);
});

test("nobody is told when nothing changed", () => {
  people.learn([person("ada", "Ada"), person("eve", "Ada")]);
  let told = 0;
  people.alike.subscribe(() => told++);
  people.learn([person("ada", "Ada"), person("ben", "Ben")]);
  expect(told).toBe(0);
});

test("those who are asked for at the same moment are asked for together", async () => {
  known = [
    { type: "user", id: "ada", name: "Ada Lovelace", username: "ada" },
    { type: "team", id: "t", name: "Support" },
  ];
  const ada = people.get("ada");
  const team = people.party({ type: "team", id: "t" });
  people.get("ada");
  await answered();
  expect(asked).toEqual([["user:ada", "team:t"]]);
  expect(ada.get()?.full_name).toBe("Ada Lovelace");
  expect(team.get()?.name).toBe("Support");
  people.get("ada");
  await answered(1_000_000);
  expect(asked.length).toBe(1);
});

test("no request asks for more than the engine allows", async () => {
  for (let n = 0; n < 250; n += 1) people.get(`p${n}`);
  await answered();
  expect(asked.map((ids) => ids.length)).toEqual([100, 100, 50]);
});

test("whoever the engine does not know is asked for once in a while only", async () => {
  people.get("nobody");
  await answered();
  people.get("nobody");
  await answered(59_000);
  expect(asked.length).toBe(1);
  await answered(1_000);
  people.get("nobody");
  await answered();
  expect(asked.length).toBe(2);
});

test("after a failure it is tried again soon, not at once", async () => {
  known = null;
  people.get("ada");
  await answered();
  people.get("ada");
  await answered();
  expect(asked.length).toBe(1);
  known = [{ type: "user", id: "ada", name: "Ada", username: "ada" }];
  await answered(5_000);
  const ada = people.get("ada");
  await answered();
  expect(ada.get()?.username).toBe("ada");
});
