/** Which rooms there are: lists that are not complete, and who is in what. */
import { beforeEach, describe, expect, test } from "vitest";
import { ME, OTHER, posted, ROOM, room, seqs } from "./testing/builders";
import { settled } from "./testing/manual-clock";
import { PlayedEngine } from "./testing/played-engine";

let engine: PlayedEngine;

beforeEach(() => {
  engine = new PlayedEngine();
});

describe("a list that is not complete", () => {
  const older = (id: string, extra = {}) => room({ id, last_message_at: "2029-01-01T00:00:00Z", ...extra });
  const ids = () => engine.chat.rooms.state.get().list.map((info) => info.id);

  test("goes on by page, past what is here already", async () => {
    await engine.onlineWith({ rooms_truncated: true }, room({ last_message_at: "2030-01-01T00:00:00Z" }));
    expect(engine.chat.rooms.state.get().more).toBe("idle");
    engine.pages["/rooms"] = { items: [room()], next: "a" };
    engine.pages["/rooms after a"] = { items: [older("second")], next: "b" };
    engine.pages["/rooms after b"] = { items: [older("third")], next: null };
    await engine.chat.rooms.loadMore();
    expect(ids()).toEqual([ROOM, "second"]);
    expect(engine.chat.rooms.state.get().more).toBe("idle");
    await engine.chat.rooms.loadMore();
    expect(ids()).toEqual([ROOM, "second", "third"]);
    expect(engine.chat.rooms.state.get().more).toBe("none");
  });

  test("says when a page did not come, and asks again", async () => {
    await engine.onlineWith({ rooms_truncated: true }, room());
    await engine.chat.rooms.loadMore();
    expect(engine.chat.rooms.state.get().more).toBe("failed");
    engine.pages["/rooms"] = { items: [], next: null };
    await engine.chat.rooms.loadMore();
    expect(engine.chat.rooms.state.get().more).toBe("none");
  });

  test("gets a room when something happens there, with all that happened meanwhile", async () => {
    await engine.onlineWith({ rooms_truncated: true });
    engine.pages[`/rooms/${ROOM}`] = room({ last_seq: 4, unread: 1 });
    for (const seq of [4, 5, 6]) engine.socket.deliver(posted(seq));
    await settled();
    expect(ids()).toEqual([ROOM]);
    expect(engine.room.info).toMatchObject({ last_seq: 6, unread: 3 });
    expect(seqs(engine.room.entries)).toEqual([4, 5, 6]);
    expect(engine.socket.frames("room.catch_up")).toEqual([]);
  });

  test("keeps a room that follows by its events, and lets one go that does not", async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => {
      const at = new Date(Date.UTC(2030, 0, 1, 0, 0, 0, 1_001 - index)).toISOString();
      return room({ id: `room-${index}`, last_seq: 1, last_message_at: at });
    });
    await engine.onlineWith({ rooms_truncated: true }, ...many);
    await engine.reconnectWith({ rooms_truncated: true });
    expect(engine.chat.rooms.get("room-0")).toBeDefined();
    expect(engine.chat.rooms.get("room-1000")).toBeUndefined();
  });

  test("has a room that somebody opens by its address, unless it is none of ours", async () => {
    await engine.onlineWith({ rooms_truncated: true });
    engine.pages[`/rooms/${ROOM}`] = room();
    engine.pages["/rooms/channel"] = room({ id: "channel", kind: "channel", role: null });
    await expect(engine.chat.rooms.find(ROOM)).resolves.toMatchObject({ id: ROOM });
    await expect(engine.chat.rooms.find("channel")).resolves.toBeUndefined();
    await expect(engine.chat.rooms.find("nowhere")).resolves.toBeUndefined();
  });

  test("asks for no room when it is complete: such an event is of one that we left", async () => {
    await engine.online();
    engine.pages[`/rooms/${ROOM}`] = room({ last_seq: 4 });
    engine.socket.deliver(posted(4));
    await settled();
    expect(ids()).toEqual([]);
  });
});

describe("membership", () => {
  test("being added follows the room from where it is", async () => {
    await engine.online();
    engine.socket.deliver({ type: "room.joined", room: room({ last_seq: 8 }) });
    engine.socket.deliver(posted(9));
    expect(engine.chat.rooms.state.get().list.map((info) => info.id)).toEqual([ROOM]);
    expect(seqs(engine.room.entries)).toEqual([9]);
  });

  test("a direct room that we accepted gets the name of the other person, and keeps what happened meanwhile", async () => {
    await engine.online();
    const peer = { id: OTHER, username: "ben", created_at: "2030-01-01T00:00:00Z" };
    engine.pages[`/rooms/${ROOM}`] = room({ kind: "direct", last_seq: 1, peer });
    engine.socket.deliver({ type: "room.joined", room: room({ kind: "direct", last_seq: 1 }) });
    engine.socket.deliver(posted(2));
    await settled();
    expect(engine.room.info).toMatchObject({ peer, last_seq: 2, unread: 1 });
  });

  test("an answer about a room that ready did not list is not taken over what happened meanwhile", async () => {
    await engine.online(room({ last_seq: 1 }));
    engine.pages[`/rooms/${ROOM}`] = room({ last_seq: 1 });
    engine.socket.onclose?.(1006, "");
    await engine.clock.advance(15_000);
    engine.socket.ready([]);
    engine.socket.deliver(posted(2));
    await settled();
    expect(engine.room.info).toMatchObject({ last_seq: 2, unread: 1 });
  });

  test("being removed takes the room away", async () => {
    await engine.online(room({ last_seq: 1 }));
    const at = "2030-01-01T00:00:00Z";
    engine.socket.deliver({ type: "member.removed", room_id: ROOM, seq: 2, user_id: ME, by: OTHER, at });
    expect(engine.chat.rooms.state.get().list).toEqual([]);
  });

  test("names and topics follow, also when a topic is taken away", async () => {
    await engine.online(room({ last_seq: 1, topic: "old" }));
    const at = "2030-01-01T00:00:00Z";
    engine.socket.deliver({ type: "room.updated", room_id: ROOM, seq: 2, name: "New", topic: null, by: OTHER, at });
    expect(engine.room.info).toMatchObject({ name: "New", topic: "" });
  });
});
