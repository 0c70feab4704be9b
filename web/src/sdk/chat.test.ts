/** What takes more than one part of the library: spaces with their channels, people who are asked first, sending. */
import { beforeEach, describe, expect, test } from "vitest";
import { ME, OTHER, posted, ROOM, room, seqs } from "./testing/builders";
import { settled } from "./testing/manual-clock";
import { PlayedEngine } from "./testing/played-engine";

let engine: PlayedEngine;

beforeEach(() => {
  engine = new PlayedEngine();
});

describe("spaces", () => {
  test("leaving one takes its channels out of the list", async () => {
    const channel = room({ id: "channel", kind: "channel", space_id: "school" });
    await engine.online(room(), channel);
    engine.pages[`/spaces/school/members/${ME}`] = {};
    await engine.chat.leaveSpace("school");
    expect(engine.chat.rooms.state.get().list.map((info) => info.id)).toEqual([ROOM]);
  });

  test("a space that one cannot leave keeps its channels", async () => {
    const channel = room({ id: "channel", kind: "channel", space_id: "school" });
    await engine.online(channel);
    await expect(engine.chat.leaveSpace("school")).rejects.toThrow();
    expect(engine.chat.rooms.get("channel")).toBeDefined();
  });

  test("are read again when another channel is ours", async () => {
    await engine.online();
    engine.pages["/spaces"] = { items: [{ id: "school", name: "School", role: "member" }] };
    engine.pages["/spaces/school/rooms"] = { items: [{ id: "channel", joined: true }] };
    const channel = room({ id: "channel", kind: "channel", space_id: "school" });
    engine.socket.deliver({ type: "room.joined", room: channel });
    await settled();
    expect(engine.chat.spaces.list.get().map(({ space }) => space.name)).toEqual(["School"]);
    expect(engine.chat.spaces.roleIn("school")).toBe("member");
  });
});

describe("people who are asked first", () => {
  test("are known of a room that was made with them, and of one that they are added to", async () => {
    await engine.online();
    engine.pages["/rooms"] = { ...room(), invited: [OTHER] };
    const made = await engine.chat.createRoom({ kind: "group", name: "Team", member_ids: [OTHER] });
    expect(made.info).not.toHaveProperty("invited");
    engine.pages[`/rooms/${ROOM}/members`] = { user_id: "cleo", role: "member", invitation_id: "i" };
    await expect(engine.chat.addMember(ROOM, "cleo")).resolves.toBe(false);
    engine.pages[`/rooms/${ROOM}/members`] = { user_id: "dan", role: "member" };
    await expect(engine.chat.addMember(ROOM, "dan")).resolves.toBe(true);
    expect(engine.chat.invitations.asked.get().get(ROOM)).toEqual([OTHER, "cleo"]);
  });
});

describe("the outbox on a link", () => {
  test("a message whose answer was lost goes out again with the same client_id and is shown once", async () => {
    await engine.online(room({ last_seq: 0 }));
    engine.chat.outbox.post(ROOM, "hello");
    await settled();
    const { client_id: clientId } = engine.socket.last("message.post");
    await engine.reconnect(room({ last_seq: 1 }));
    expect(engine.socket.last("message.post").client_id).toBe(clientId);
    engine.socket.deliver(posted(1, { from: ME, clientId, content: "hello" }));
    engine.socket.deliver({ type: "ok", re: engine.socket.last("message.post").id, room_id: ROOM, seq: 1 });
    await settled();
    expect(engine.chat.outbox.entries.get()).toEqual([]);
    expect(seqs(engine.room.entries)).toEqual([1]);
    expect(engine.room.info.unread).toBe(0);
  });

  test("an answer that comes before the event leaves no moment without the message", async () => {
    await engine.online(room({ last_seq: 0 }));
    engine.chat.outbox.post(ROOM, "hello");
    await settled();
    const { id, client_id: clientId } = engine.socket.last("message.post");
    engine.socket.deliver({ type: "ok", re: id, room_id: ROOM, seq: 1 });
    await settled();
    expect(engine.chat.outbox.entries.get().map((entry) => entry.state)).toEqual(["sent"]);
    engine.socket.deliver(posted(1, { from: ME, clientId, content: "hello" }));
    expect(engine.chat.outbox.entries.get()).toEqual([]);
  });

  test("what was written before a reload is sent after it", async () => {
    engine.chat.outbox.post(ROOM, "one");
    engine.chat.outbox.post(ROOM, "two");
    engine.reload();
    await engine.online(room({ last_seq: 0 }));
    expect(engine.socket.frames("message.post").map((frame) => frame.content)).toEqual(["one"]);
    engine.socket.deliver({ type: "ok", re: engine.socket.last("message.post").id, room_id: ROOM, seq: 1 });
    await settled();
    expect(engine.socket.frames("message.post").map((frame) => frame.content)).toEqual(["one", "two"]);
  });
});
