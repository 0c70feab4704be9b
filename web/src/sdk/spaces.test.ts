import { beforeEach, describe, expect, test } from "vitest";
import { Spaces } from "./spaces";
import { settled } from "./testing/manual-clock";
import type { Channel, Space } from "./types";

let there: Space[];
let requests: number;
let spaces: Spaces;

function space(id: string, name = id): Space {
  return { id, name, role: "member", member_count: 2, created_at: "" };
}

const quay: Channel = { id: "quay", name: "quay", joined: false, created_at: "" };

beforeEach(async () => {
  there = [space("harbour")];
  requests = 0;
  spaces = new Spaces({
    spaces: () => {
      requests += 1;
      return Promise.resolve([...there]);
    },
    channels: () => Promise.resolve([quay]),
  });
  await spaces.reload();
});

function names(): string[] {
  return spaces.list.get().map((entry) => entry.space.name);
}

describe("spaces", () => {
  test("come with their channels when we are added", async () => {
    there = [space("harbour"), space("market")];
    spaces.onFrame({ type: "space.joined", space: space("market") });
    await settled();
    expect(names()).toEqual(["harbour", "market"]);
    expect(spaces.list.get()[1]?.channels).toEqual([quay]);
    // Told once more, it asks for nothing.
    spaces.onFrame({ type: "space.joined", space: space("market") });
    await settled();
    expect(requests).toBe(2);
  });

  test("are called as they are called now, and so is our role", () => {
    spaces.onFrame({ type: "space.updated", space: { ...space("harbour", "Port"), role: "admin" } });
    expect(names()).toEqual(["Port"]);
    expect(spaces.roleIn("harbour")).toBe("admin");
    expect(spaces.list.get()[0]?.channels).toEqual([quay]);
    expect(requests).toBe(1);
  });

  test("go when we are out, also of a list that is just being read", async () => {
    const reading = spaces.reload();
    there = [];
    spaces.onFrame({ type: "space.left", space_id: "harbour", reason: "removed" });
    expect(names()).toEqual([]);
    await reading;
    expect(names()).toEqual([]);
  });
});
