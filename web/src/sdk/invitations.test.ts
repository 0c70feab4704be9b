import { beforeEach, describe, expect, test } from "vitest";
import { ProblemError } from "./errors";
import { Invitations } from "./invitations";
import { ManualClock, settled } from "./testing/manual-clock";
import { People } from "./people";
import type { Invitation } from "./types";

let waiting: Invitation[];
let answered: string[];
let failure: Error | null;
let invitations: Invitations;

function invitation(id: string): Invitation {
  const inviter = { id: "ben", username: "ben", created_at: "" };
  return { id, kind: "group", room_id: "room", name: "Garden", role: "member", inviter, state: "pending", created_at: "" };
}

beforeEach(async () => {
  waiting = [invitation("one"), invitation("two")];
  answered = [];
  failure = null;
  const answer = (id: string) => {
    if (failure !== null) return Promise.reject(failure);
    answered.push(id);
    return Promise.resolve(undefined as never);
  };
  const api = { invitations: () => Promise.resolve(waiting), acceptInvitation: answer, declineInvitation: answer };
  invitations = new Invitations(api, new People({ parties: () => Promise.reject(new Error("away")) }, new ManualClock()));
  await invitations.reload();
});

function ids(): string[] {
  return invitations.list.get().map(({ id }) => id);
}

describe("invitations", () => {
  test("go when they are answered", async () => {
    await invitations.accept("one");
    expect(ids()).toEqual(["two"]);
    await invitations.decline("two");
    expect(ids()).toEqual([]);
    expect(answered).toEqual(["one", "two"]);
  });

  test("come and go live, also by another device", async () => {
    invitations.onUpdated({ type: "invitation.updated", id: "one", state: "declined" });
    expect(ids()).toEqual(["two"]);
    waiting = [invitation("three")];
    invitations.onUpdated({ type: "invitation.updated", id: "three", state: "pending" });
    await settled();
    expect(ids()).toEqual(["three"]);
  });

  test("stay when the answer did not get through", async () => {
    failure = new ProblemError(503, "engine.unavailable", "Later.");
    await expect(invitations.accept("one")).rejects.toBe(failure);
    expect(ids()).toEqual(["one", "two"]);
  });

  test("go, with the engine's words, when there is nothing to answer any more", async () => {
    failure = new ProblemError(404, "chat.invitation_not_found", "Too old.");
    await expect(invitations.accept("one")).rejects.toBe(failure);
    expect(ids()).toEqual(["two"]);
  });

  test("that we made are remembered by room", () => {
    invitations.noteAsked("room", ["cleo"]);
    invitations.noteAsked("room", ["cleo", "dan"]);
    invitations.noteAsked("other", []);
    expect([...invitations.asked.get()]).toEqual([["room", ["cleo", "dan"]]]);
  });
});
