/** How a room follows its events, live and caught up. */
import { beforeEach, describe, expect, test } from "vitest";
import { ME, OTHER, posted, ROOM, room, seqs } from "./testing/builders";
import { settled } from "./testing/manual-clock";
import { PlayedEngine } from "./testing/played-engine";

let engine: PlayedEngine;

beforeEach(() => {
  engine = new PlayedEngine();
});

describe("following a room", () => {
  test("live events are applied and counted", async () => {
    await engine.online(room({ last_seq: 4, read_seq: 4 }));
    engine.socket.deliver(posted(5));
    engine.socket.deliver(posted(6, { from: ME }));
    expect(seqs(engine.room.entries)).toEqual([5, 6]);
    expect(engine.room.info).toMatchObject({ last_seq: 6, unread: 1 });
  });

  test("a team is no one more, its people are, and their role is the team's", async () => {
    await engine.online(room({ last_seq: 0, member_count: 2 }));
    const party = { type: "team", id: "t" };
    const place = { room_id: ROOM, by: OTHER, at: "2030-01-01T00:00:00Z" };
    engine.socket.deliver({ type: "member.added", seq: 1, member: { party, role: "member" }, people: [ME, "x", "y"], ...place });
    expect(engine.room.info.member_count).toBe(5);
    engine.socket.deliver({ type: "member.role_changed", seq: 2, party, role: "admin", people: [ME], ...place });
    expect(engine.room.info.role).toBe("admin");
    engine.socket.deliver({ type: "member.removed", seq: 3, party, people: ["x"], ...place });
    expect(engine.room.info.member_count).toBe(4);
    const stay = [{ user_id: ME, via_team_id: "u", role: "guest" }];
    engine.socket.deliver({ type: "member.removed", seq: 4, party, people: ["y"], stay, ...place });
    expect(engine.room.info).toMatchObject({ member_count: 3, role: "guest" });
    const other = { type: "team", id: "u" };
    engine.socket.deliver({ type: "member.removed", seq: 5, party: other, people: [ME], ...place });
    await settled();
    expect(engine.chat.rooms.get(ROOM)).toBeUndefined();
  });

  test("a jump is caught up page by page, and what came meanwhile follows", async () => {
    await engine.online(room({ last_seq: 0 }));
    engine.socket.deliver(posted(6));
    await settled();
    expect(engine.socket.last("room.catch_up")).toMatchObject({ room_id: ROOM, after: 0 });
    engine.socket.deliver(posted(7));
    await engine.answerCatchUp(1, 3, 7, true);
    expect(engine.socket.last("room.catch_up")).toMatchObject({ after: 3 });
    await engine.answerCatchUp(4, 6, 7, false);
    expect(seqs(engine.room.entries)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(engine.socket.frames("room.catch_up")).toHaveLength(2);
  });

  test("room.lagged is caught up too", async () => {
    await engine.online(room({ last_seq: 2 }));
    engine.socket.deliver({ type: "room.lagged", room_id: ROOM, last_seq: 4 });
    await settled();
    await engine.answerCatchUp(3, 4, 4, false);
    expect(engine.room.info.last_seq).toBe(4);
  });

  test("a room that may not be caught up any more is gone", async () => {
    await engine.online(room({ last_seq: 2 }));
    engine.socket.deliver({ type: "room.lagged", room_id: ROOM, last_seq: 4 });
    await settled();
    const { id } = engine.socket.last("room.catch_up");
    engine.socket.deliver({ type: "error", re: id, code: "chat.room_not_found", message: "", retry: "never" });
    await settled();
    expect(engine.chat.rooms.get(ROOM)).toBeUndefined();
  });

  test("a busy engine is asked again later", async () => {
    await engine.online(room({ last_seq: 2 }));
    engine.socket.deliver({ type: "room.lagged", room_id: ROOM, last_seq: 4 });
    await settled();
    const { id } = engine.socket.last("room.catch_up");
    engine.socket.deliver({ type: "error", re: id, code: "busy", message: "", retry: "later", retry_after_ms: 700 });
    await engine.clock.advance(699);
    expect(engine.socket.frames("room.catch_up")).toHaveLength(1);
    await engine.clock.advance(1);
    await engine.answerCatchUp(3, 4, 4, false);
    expect(engine.room.info.last_seq).toBe(4);
  });

  test("an event of a kind from the future keeps its place in the order", async () => {
    await engine.online(room({ last_seq: 0 }));
    engine.socket.deliver({ type: "reaction.added", room_id: ROOM, seq: 1, emoji: "x" });
    engine.socket.deliver(posted(2));
    expect(seqs(engine.room.entries)).toEqual([1, 2]);
    expect(engine.socket.frames("room.catch_up")).toHaveLength(0);
  });

  test("older pages come from the same log, however few the engine gives at a time", async () => {
    await engine.online(room({ last_seq: 130 }));
    const loading = engine.chat.rooms.get(ROOM)?.loadOlder();
    await settled();
    expect(engine.socket.last("room.catch_up")).toMatchObject({ after: 80, limit: 50 });
    await engine.answerCatchUp(81, 110, 130, true);
    expect(engine.socket.last("room.catch_up")).toMatchObject({ after: 110, limit: 20 });
    await engine.answerCatchUp(111, 130, 130, false);
    await loading;
    expect(engine.room.entries).toHaveLength(50);
    expect(engine.room.hasOlder).toBe(true);
  });
});
