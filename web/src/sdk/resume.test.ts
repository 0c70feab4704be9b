/** Coming back after the link was lost: what is resumed, and what is read anew. */
import { beforeEach, describe, expect, test } from "vitest";
import { posted, ROOM, room, seqs } from "./testing/builders";
import { settled } from "./testing/manual-clock";
import { PlayedEngine } from "./testing/played-engine";

let engine: PlayedEngine;

beforeEach(() => {
  engine = new PlayedEngine();
});

describe("coming back", () => {
  test("hello resumes from what was applied, and what follows is not counted twice", async () => {
    await engine.online(room({ last_seq: 0 }));
    engine.socket.deliver(posted(1));
    await engine.reconnect(room({ last_seq: 3, unread: 3 }));
    expect(engine.socket.last("hello").resume).toEqual({ [ROOM]: 1 });
    engine.socket.deliver(posted(2));
    engine.socket.deliver(posted(3));
    expect(seqs(engine.room.entries)).toEqual([1, 2, 3]);
    expect(engine.room.info.unread).toBe(3);
    engine.socket.deliver(posted(4));
    expect(engine.room.info.unread).toBe(4);
  });

  test("a catch-up that the lost link cut off is left to the resume", async () => {
    await engine.online(room({ last_seq: 0 }));
    engine.socket.deliver(posted(5));
    await settled();
    await engine.reconnect(room({ last_seq: 5 }));
    expect(engine.socket.frames("room.catch_up")).toHaveLength(0);
    for (let seq = 1; seq <= 5; seq += 1) engine.socket.deliver(posted(seq));
    expect(seqs(engine.room.entries)).toEqual([1, 2, 3, 4, 5]);
  });

  test("a room that ready no longer lists goes only when the engine says so", async () => {
    await engine.online(room({ last_seq: 1 }));
    engine.pages[`/rooms/${ROOM}`] = room({ last_seq: 1 });
    await engine.reconnect();
    expect(engine.chat.rooms.get(ROOM)).toBeDefined();
    engine.pages = {};
    await engine.reconnect();
    expect(engine.chat.rooms.get(ROOM)).toBeUndefined();
  });

  test("more rooms than one hello takes: the one on the screen is resumed, the rest start at their end", async () => {
    const many = Array.from({ length: 1_200 }, (_, index) => {
      const second = String(index % 60).padStart(2, "0");
      return room({ id: `room-${index}`, last_seq: 5, last_message_at: `2030-01-01T00:${second}:00Z` });
    });
    await engine.online(...many);
    engine.chat.rooms.get("room-0")?.view();
    let told = 0;
    engine.chat.rooms.state.subscribe(() => told++);
    await engine.reconnect(...many.map((info) => ({ ...info, last_seq: 7 })));
    expect(told).toBe(1);
    const resume = engine.socket.last("hello").resume ?? {};
    expect(Object.keys(resume)).toHaveLength(1_000);
    expect(resume["room-0"]).toBe(5);
    const left = many.find((info) => !(info.id in resume));
    expect(engine.chat.rooms.get(left?.id ?? "")?.lastSeq).toBe(7);
    expect(engine.chat.rooms.get("room-0")?.lastSeq).toBe(5);
  });

  test("a room that went back, as after an older backup, is started anew", async () => {
    await engine.online(room({ last_seq: 9 }));
    await engine.reconnect(room({ last_seq: 2 }));
    engine.socket.deliver(posted(3));
    expect(seqs(engine.room.entries)).toEqual([3]);
  });
});

describe("another life of the log", () => {
  test("hello says of which one we have what we have", async () => {
    await engine.online(room({ last_seq: 1 }));
    expect(engine.socket.last("hello")).not.toHaveProperty("epoch");
    await engine.reconnect(room({ last_seq: 1 }));
    expect(engine.socket.last("hello")).toMatchObject({ epoch: "first" });
  });

  test("drops what we have, also where the numbers would fit", async () => {
    await engine.online(room({ last_seq: 0 }));
    for (const seq of [1, 2, 3]) engine.socket.deliver(posted(seq, { content: "old" }));
    const before = engine.chat.rooms.get(ROOM)?.key;
    await engine.reconnectWith({ epoch: "second" }, room({ last_seq: 5 }));
    expect(engine.room.entries).toEqual([]);
    expect(engine.chat.rooms.get(ROOM)?.key).not.toBe(before);
    engine.socket.deliver(posted(6));
    expect(seqs(engine.room.entries)).toEqual([6]);
    await engine.reconnectWith({ epoch: "second" }, room({ last_seq: 6 }));
    expect(engine.socket.last("hello")).toMatchObject({ epoch: "second", resume: { [ROOM]: 6 } });
    expect(seqs(engine.room.entries)).toEqual([6]);
  });

  test("keeps what was not sent, and forgets what the old one had acknowledged", async () => {
    await engine.online(room({ last_seq: 0 }));
    engine.chat.outbox.post(ROOM, "acknowledged");
    await settled();
    engine.socket.deliver({ type: "ok", re: engine.socket.last("message.post").id, room_id: ROOM, seq: 9 });
    await settled();
    engine.chat.outbox.post(ROOM, "not sent");
    await settled();
    const { client_id: clientId } = engine.socket.last("message.post");
    await engine.reconnectWith({ epoch: "second" }, room({ last_seq: 2 }));
    expect(engine.chat.outbox.entries.get().map((entry) => entry.content)).toEqual(["not sent"]);
    expect(engine.socket.last("message.post").client_id).toBe(clientId);
  });

  test("takes no read marks of the old one", async () => {
    await engine.online(room({ last_seq: 0 }));
    engine.socket.deliver(posted(1));
    engine.chat.rooms.get(ROOM)?.markRead();
    await engine.reconnectWith({ epoch: "second" }, room({ last_seq: 5, unread: 5 }));
    await engine.clock.advance(1_000);
    expect(engine.socket.frames("receipt.mark")).toEqual([]);
    expect(engine.room.info.unread).toBe(5);
  });
});

describe("what cannot be resumed", () => {
  const refused = { resume_refused: [{ room_id: ROOM, reason: "ahead" }] };

  test("is read anew when it is listed", async () => {
    await engine.online(room({ last_seq: 0 }));
    engine.socket.deliver(posted(1));
    await engine.reconnectWith(refused, room({ last_seq: 1 }));
    expect(engine.room.entries).toEqual([]);
    expect(engine.chat.rooms.get(ROOM)?.lastSeq).toBe(1);
  });

  test("is asked for when it is not listed", async () => {
    await engine.online(room({ last_seq: 0 }));
    engine.socket.deliver(posted(1));
    engine.pages[`/rooms/${ROOM}`] = room({ last_seq: 8 });
    await engine.reconnectWith({ ...refused, rooms_truncated: true });
    expect(engine.chat.rooms.get(ROOM)?.lastSeq).toBe(8);
    engine.pages = {};
    await engine.reconnectWith({ ...refused, rooms_truncated: true });
    expect(engine.chat.rooms.get(ROOM)).toBeUndefined();
  });

  test("is read anew, too, when catching up says that the room has not come so far", async () => {
    await engine.online(room({ last_seq: 9 }));
    engine.socket.deliver({ type: "room.lagged", room_id: ROOM, last_seq: 12 });
    await settled();
    engine.pages[`/rooms/${ROOM}`] = room({ last_seq: 4 });
    const { id } = engine.socket.last("room.catch_up");
    engine.socket.deliver({ type: "error", re: id, code: "chat.ahead", message: "", retry: "never" });
    await settled();
    expect(engine.chat.rooms.get(ROOM)?.lastSeq).toBe(4);
  });
});
