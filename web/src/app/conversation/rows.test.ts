import { expect, test } from "vitest";
import type { DurableEvent, MessagePosted } from "../../sdk";
import { rowsOf } from "./rows";

function message(seq: number, from: string, at: string): DurableEvent {
  return {
    type: "message.posted",
    room_id: "r",
    seq,
    message: {
      id: `m${seq}`,
      room_id: "r",
      seq,
      sender: { type: "user", id: from },
      kind: "text",
      content: "x",
      created_at: at,
    },
  };
}

function renamed(seq: number, name: string | null, topic: string | null): DurableEvent {
  return { type: "room.updated", room_id: "r", seq, name, topic, by: "ada", at: "2030-01-01T10:00:00" };
}

test("a day starts with its heading", () => {
  const rows = rowsOf([message(1, "ada", "2030-01-01T10:00:00"), message(2, "ada", "2030-01-02T10:00:00")], "ben", 0);
  expect(rows.map((row) => row.kind)).toEqual(["day", "message", "day", "message"]);
});

test("messages of one person close together form a group", () => {
  const rows = rowsOf(
    [
      message(1, "ada", "2030-01-01T10:00:00"),
      message(2, "ada", "2030-01-01T10:01:00"),
      message(3, "ben", "2030-01-01T10:01:30"),
      message(4, "ben", "2030-01-01T10:20:00"),
    ],
    "ben",
    0,
  );
  expect(rows.flatMap((row) => (row.kind === "message" ? [[row.leads, row.own]] : []))).toEqual([
    [true, false],
    [false, false],
    [true, true],
    [true, true],
  ]);
});

test("the mark of new messages stands before the first unread one of somebody else, once", () => {
  const rows = rowsOf(
    [
      message(1, "ada", "2030-01-01T10:00:00"),
      message(2, "ben", "2030-01-01T10:00:10"),
      message(3, "ada", "2030-01-01T10:00:20"),
      message(4, "ada", "2030-01-01T10:00:30"),
    ],
    "ben",
    1,
  );
  expect(rows.map((row) => row.kind)).toEqual(["day", "message", "message", "new", "message", "message"]);
});

test("an update says only what it changed", () => {
  const events = [renamed(1, "Team", null), renamed(2, "Team", "Plans"), renamed(3, "Team", null)];
  const rows = rowsOf(events, "ben", 0);
  expect(rows.flatMap((row) => (row.kind === "system" ? [row.renamed] : []))).toEqual([
    { name: "Team", topic: null },
    { name: null, topic: "Plans" },
    { name: null, topic: "" },
  ]);
});

test("events of kinds that we do not know show nothing", () => {
  expect(rowsOf([{ payload: {}, type: "unknown:x", room_id: "r", seq: 1 }], "ben", 0)).toEqual([]);
});

test("edits and deletions have no line of their own and part no group", () => {
  const place = { room_id: "r", by: "ada", at: "2030-01-02T10:00:00", message_id: "m1" };
  const edit: DurableEvent = { type: "message.edited", seq: 2, content: "y", edited_at: place.at, ...place };
  const events = [message(1, "ada", "2030-01-01T10:00:00"), edit, message(3, "ada", "2030-01-01T10:01:00")];
  const rows = rowsOf([...events, { type: "message.deleted", seq: 4, ...place }], "ben", 0);
  expect(rows.map((row) => row.kind)).toEqual(["day", "message", "message"]);
  expect(rows.flatMap((row) => (row.kind === "message" ? [row.leads] : []))).toEqual([true, false]);
});

test("what the engine itself says is a notice, unread like a message, and ends a group", () => {
  const posted = message(2, "", "2030-01-01T10:00:10") as MessagePosted;
  const said: DurableEvent = { ...posted, message: { ...posted.message, sender: { type: "system" } } };
  const rows = rowsOf([message(1, "ada", "2030-01-01T10:00:00"), said, message(3, "ada", "2030-01-01T10:00:20")], "ben", 1);
  expect(rows.map((row) => row.kind)).toEqual(["day", "message", "new", "notice", "message"]);
  expect(rows.flatMap((row) => (row.kind === "message" ? [row.leads] : []))).toEqual([true, true]);
});
