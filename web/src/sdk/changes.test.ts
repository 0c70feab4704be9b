/** Edits and deletions: those that the room tells, and those that are made here. */
import { beforeEach, describe, expect, test } from "vitest";
import type { DurableEvent, MessageDeleted, MessageEdited } from "./events";
import { RoomLog } from "./room-log";
import { ME, OTHER, posted, ROOM, room, seqs } from "./testing/builders";
import { settled } from "./testing/manual-clock";
import { PlayedEngine } from "./testing/played-engine";

function time(minute: number): string {
  return `2030-01-01T00:${String(minute).padStart(2, "0")}:00Z`;
}

/** At the minute of its place. */
function edited(seq: number, of: number, content: string): MessageEdited {
  const place = { room_id: ROOM, seq, by: OTHER, at: time(seq) };
  return { type: "message.edited", ...place, message_id: `message-${of}`, content, edited_at: time(seq) };
}

function deleted(seq: number, of: number): MessageDeleted {
  return { type: "message.deleted", room_id: ROOM, seq, by: OTHER, at: time(seq), message_id: `message-${of}` };
}

/** As a page tells a message that was edited at `minute`. */
function presentForm(seq: number, content: string, minute: number): DurableEvent {
  const event = posted(seq, { content });
  return { ...event, message: { ...event.message, edited_at: time(minute) } };
}

function texts(entries: readonly DurableEvent[]): string[] {
  return entries.flatMap((event) => {
    if (event.type !== "message.posted") return [];
    const { content, deleted_at: deletedAt } = event.message;
    return [deletedAt == null ? content : `${content}(deleted)`];
  });
}

describe("what the room tells", () => {
  test("shows in the message, and takes a place in the order all the same", () => {
    const log = new RoomLog(0);
    for (const event of [posted(1), posted(2), edited(3, 1, "better"), deleted(4, 2)]) log.receive(event);
    expect(seqs(log.entries)).toEqual([1, 2, 3, 4]);
    expect(texts(log.entries)).toEqual(["better", "(deleted)"]);
    expect(log.isBehind).toBe(false);
  });

  test("of a message that is not here changes nothing; its page tells it as it is by now", () => {
    const log = new RoomLog(1);
    log.receive(edited(2, 1, "better"));
    expect(log.lastSeq).toBe(2);
    expect(texts(log.entries)).toEqual([]);
    log.prepend([presentForm(1, "better", 2)], 0, 2);
    expect(texts(log.entries)).toEqual(["better"]);
  });

  test("holds for an older page that was made before it", () => {
    const log = new RoomLog(2);
    log.receive(edited(3, 1, "better"));
    log.receive(deleted(4, 2));
    log.prepend([posted(1), posted(2)], 0, 3);
    expect(texts(log.entries)).toEqual(["better", "(deleted)"]);
  });

  test("earlier than the form in which a page tells the message does not take it back", () => {
    const log = new RoomLog(0);
    const gone = { ...posted(2, { content: "" }).message, deleted_at: time(9) };
    const page = [presentForm(1, "third", 8), { ...posted(2), message: gone }, edited(3, 1, "second"), edited(4, 2, "was")];
    log.catchUp({ events: page, lastSeq: 4, more: false });
    expect(texts(log.entries)).toEqual(["third", "(deleted)"]);
    log.receive(edited(5, 1, "third"));
    expect(texts(log.entries)).toEqual(["third", "(deleted)"]);
  });

  test("is applied when it was held back until a gap was closed", () => {
    const log = new RoomLog(0);
    log.receive(edited(3, 1, "better"));
    log.catchUp({ events: [posted(1), posted(2)], lastSeq: 2, more: false });
    expect(texts(log.entries)).toEqual(["better", "message 2"]);
  });

  test("leaves a message the same object when it says nothing of it", () => {
    const log = new RoomLog(0);
    log.receive(posted(1));
    log.receive(posted(2));
    const [first] = log.entries;
    log.receive(edited(3, 2, "better"));
    expect(log.entries[0]).toBe(first);
  });

  test("takes parts away that the new form does not have", () => {
    const log = new RoomLog(0);
    const event = posted(1);
    log.receive({ ...event, message: { ...event.message, parts: [{ type: "file" }] } });
    log.receive(edited(2, 1, "better"));
    expect(log.entries[0]).toMatchObject({ message: { content: "better", parts: null, edited_at: time(2) } });
  });
});

describe("what is changed here", () => {
  let engine: PlayedEngine;
  const answer = (type: "message.edit" | "message.delete" | "message.post", extra: object) =>
    engine.socket.deliver({ type: "ok", re: engine.socket.last(type).id, ...extra });
  const changes = () => engine.chat.outbox.changes.get().map(({ messageId, state }) => `${messageId} ${state}`);
  const mine = posted(1, { from: ME, content: "hello" });

  beforeEach(async () => {
    engine = new PlayedEngine();
    await engine.online(room({ last_seq: 0 }));
    engine.socket.deliver(mine);
  });

  test("is sent, and stays until the room tells it, so that nothing flickers", async () => {
    engine.chat.outbox.edit({ ...mine.message, parts: [{ type: "file" }] }, "hello there");
    await settled();
    const frame = engine.socket.last("message.edit");
    expect(frame).toMatchObject({ room_id: ROOM, message_id: "message-1", content: "hello there", parts: [{ type: "file" }] });
    expect(changes()).toEqual(["message-1 sending"]);
    answer("message.edit", { seq: 2 });
    await settled();
    expect(changes()).toEqual(["message-1 sent"]);
    engine.socket.deliver(edited(2, 1, "hello there"));
    expect(changes()).toEqual([]);
    expect(texts(engine.room.entries)).toEqual(["hello there"]);
  });

  test("is done at once when the message was so already", async () => {
    engine.chat.outbox.delete(mine.message);
    await settled();
    expect(engine.socket.last("message.delete")).toMatchObject({ room_id: ROOM, message_id: "message-1" });
    answer("message.delete", {});
    await settled();
    expect(changes()).toEqual([]);
  });

  test("goes out again with the same client_id when the answer was lost", async () => {
    engine.chat.outbox.edit(mine.message, "hello there");
    await settled();
    const { client_id: clientId } = engine.socket.last("message.edit");
    await engine.reconnect(room({ last_seq: 1 }));
    expect(engine.socket.frames("message.edit").map((frame) => frame.client_id)).toEqual([clientId]);
  });

  test("is sent after a reload, in the order in which it was done", async () => {
    engine.reload();
    engine.chat.outbox.post(ROOM, "one");
    engine.chat.outbox.edit(mine.message, "hello there");
    engine.chat.outbox.delete(mine.message);
    engine.reload();
    expect(changes()).toEqual(["message-1 waiting", "message-1 waiting"]);
    await engine.online(room({ last_seq: 1 }));
    expect(engine.socket.frames("message.edit")).toEqual([]);
    answer("message.post", { seq: 2 });
    await settled();
    expect(engine.socket.frames("message.delete")).toEqual([]);
    answer("message.edit", { seq: 3 });
    await settled();
    expect(engine.socket.frames("message.delete")).toHaveLength(1);
  });

  test("that is refused says why, can be tried again, and gives way to another try", async () => {
    engine.chat.outbox.edit(mine.message, "hello there");
    await settled();
    const refuse = () => {
      const { id } = engine.socket.last("message.edit");
      engine.socket.deliver({ type: "error", re: id, code: "message.deleted", message: "It is gone.", retry: "never" });
      return settled();
    };
    await refuse();
    expect(engine.chat.outbox.changes.get()).toMatchObject([{ state: "failed", failure: "It is gone." }]);
    engine.chat.outbox.retry(engine.chat.outbox.changes.get()[0]?.clientId ?? "");
    await settled();
    expect(engine.socket.frames("message.edit").map((frame) => frame.content)).toEqual(["hello there", "hello there"]);
    await refuse();
    engine.chat.outbox.edit(mine.message, "hello again");
    await settled();
    expect(engine.chat.outbox.changes.get()).toMatchObject([{ state: "sending", becomes: { content: "hello again" } }]);
  });

  test("a message that is edited elsewhere before its own event came is shown once, as it is", async () => {
    engine.chat.outbox.post(ROOM, "one");
    await settled();
    const { client_id: clientId } = engine.socket.last("message.post");
    engine.socket.deliver(edited(3, 2, "two"));
    await settled();
    const { id } = engine.socket.last("room.catch_up");
    const page = [posted(2, { from: ME, clientId, content: "two" }), edited(3, 2, "two")];
    engine.socket.deliver({ type: "ok", re: id, events: page, last_seq: 3, more: false });
    answer("message.post", { seq: 2 });
    await settled();
    expect(texts(engine.room.entries)).toEqual(["hello", "two"]);
    expect(engine.chat.outbox.entries.get()).toEqual([]);
  });

  test("what an older page of this client would take for a message is not stored", () => {
    engine.reload();
    engine.chat.outbox.edit(mine.message, "hello there");
    expect(engine.chat.outbox.entries.get()).toEqual([]);
    expect(engine.chat.outbox.changes.get()[0]).not.toHaveProperty("content");
  });

  test("nobody is counted twice, and nothing is unread, because of an edit", () => {
    engine.socket.deliver(edited(2, 1, "better"));
    expect(engine.room.info).toMatchObject({ last_seq: 2, unread: 0 });
  });
});
