/** What was read, here and on other devices. */
import { beforeEach, describe, expect, test } from "vitest";
import { ME, posted, ROOM, room } from "./testing/builders";
import { PlayedEngine } from "./testing/played-engine";

let engine: PlayedEngine;

beforeEach(() => {
  engine = new PlayedEngine();
});

describe("receipts", () => {
  test("reading counts down here at once and tells the engine once", async () => {
    await engine.online(room({ last_seq: 0 }));
    for (let seq = 1; seq <= 3; seq += 1) engine.socket.deliver(posted(seq));
    expect(engine.room.info.unread).toBe(3);
    engine.chat.rooms.get(ROOM)?.markRead();
    engine.chat.rooms.get(ROOM)?.markRead();
    expect(engine.room.info.unread).toBe(0);
    await engine.clock.advance(300);
    expect(engine.socket.frames("receipt.mark")).toMatchObject([{ room_id: ROOM, delivered_seq: 3, read_seq: 3 }]);
  });

  test("a mark that the lost link took is sent again", async () => {
    await engine.online(room({ last_seq: 0 }));
    engine.socket.deliver(posted(1));
    engine.chat.rooms.get(ROOM)?.markRead();
    await engine.clock.advance(300);
    await engine.reconnect(room({ last_seq: 1, unread: 1 }));
    expect(engine.room.info.unread).toBe(0);
    await engine.clock.advance(300);
    expect(engine.socket.frames("receipt.mark")).toHaveLength(1);
  });

  test("reading on another device counts down here", async () => {
    await engine.online(room({ last_seq: 0 }));
    for (let seq = 1; seq <= 3; seq += 1) engine.socket.deliver(posted(seq));
    engine.socket.deliver({ type: "receipt.updated", room_id: ROOM, user_id: ME, delivered_seq: 3, read_seq: 2 });
    expect(engine.room.info.unread).toBe(1);
  });
});
