import { describe, expect, test } from "vitest";
import type { Role } from "../../sdk";
import { room } from "../../sdk/testing/builders";
import { givableRoles, mayAdd, mayDelete, mayDescribe, mayManage, mayModerate, placeOf } from "./permissions";

const channel = (role: Role) => room({ kind: "channel", role });

describe("in a channel", () => {
  test("whoever runs its space acts as an owner", () => {
    for (const roleInSpace of ["admin", "owner"] as const) {
      const place = placeOf(channel("guest"), roleInSpace);
      expect(mayManage(place, "owner")).toBe(true);
      expect(mayDescribe(place)).toBe(true);
    }
  });

  test("a member of its space is what the channel made them", () => {
    expect(mayManage(placeOf(channel("member"), "member"), "guest")).toBe(false);
    expect(mayManage(placeOf(channel("admin"), null), "member")).toBe(true);
  });
});

test("a role in a space says nothing about a group", () => {
  expect(mayDescribe(placeOf(room({ role: "member" }), "owner"))).toBe(false);
});

test("nobody manages a direct room", () => {
  const place = placeOf(room({ kind: "direct", role: "owner" }), null);
  expect(mayAdd(place) || mayManage(place, "member")).toBe(false);
});

test("only owners make owners", () => {
  expect(givableRoles({ kind: "space", role: "owner" })).toContain("owner");
  expect(givableRoles({ kind: "space", role: "admin" })).not.toContain("admin");
});

describe("deleting a message", () => {
  test("one's own may be deleted anywhere", () => {
    expect(mayDelete(placeOf(room({ kind: "direct", role: "member" }), null), true, "member")).toBe(true);
    expect(mayDelete(placeOf(room({ role: "guest" }), null), true, "guest")).toBe(true);
  });

  test("others' by whoever moderates and ranks above them, or when they are gone", () => {
    const admin = placeOf(room({ role: "admin" }), null);
    expect(mayDelete(admin, false, "member")).toBe(true);
    expect(mayDelete(admin, false, null)).toBe(true);
    expect(mayDelete(admin, false, "owner")).toBe(false);
    expect(mayDelete(placeOf(room({ role: "member" }), null), false, "guest")).toBe(false);
  });

  test("nobody moderates a direct room", () => {
    const place = placeOf(room({ kind: "direct", role: "owner" }), null);
    expect(mayDelete(place, false, "member") || mayModerate(place)).toBe(false);
  });
});
