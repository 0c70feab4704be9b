import { beforeEach, expect, test } from "vitest";
import type { User } from "./types";
import { Users } from "./users";

let users: Users;

beforeEach(() => {
  users = new Users({ user: () => Promise.reject(new Error("away")) });
});

function person(id: string, fullName: string): User {
  return { id, username: id, full_name: fullName } as User;
}

function alike(): string[] {
  return [...users.alike.get()].sort();
}

test("two who look alike are told apart as soon as both are known", () => {
  users.learn([person("ada", "Ada Lovelace"), person("ben", "Ben")]);
  expect(alike()).toEqual([]);
  users.learn([person("eve", "\u0410da Lovelace")]);
  expect(alike()).toEqual(["ada", "eve"]);
});

test("one who has another name now looks like nobody any more", () => {
  users.learn([person("ada", "Ada"), person("eve", "Ada")]);
  users.learn([person("eve", "Eve")]);
  expect(alike()).toEqual([]);
});

test("the same person twice is one", () => {
  users.learn([person("ada", "Ada")]);
  users.learn([person("ada", "Ada")]);
  expect(alike()).toEqual([]);
});

test("nobody is told when nothing changed", () => {
  users.learn([person("ada", "Ada"), person("eve", "Ada")]);
  let told = 0;
  users.alike.subscribe(() => told++);
  users.learn([person("ada", "Ada"), person("ben", "Ben")]);
  expect(told).toBe(0);
});
