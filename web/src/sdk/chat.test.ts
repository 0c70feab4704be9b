/** The whole library against an engine that the test plays by hand: one socket, frames in and out. */
import { beforeEach, describe, expect, test } from "vitest";
import { Api } from "./api";
import { Chat } from "./chat";
import { Http } from "./http";
import { LocalLocks, MemoryStore } from "./storage";
import { ME, OTHER, posted, ROOM, room, seqs } from "./testing/builders";
import { FakeNetwork } from "./testing/fake-socket";
import { ManualClock, settled } from "./testing/manual-clock";
import type { OwnUser } from "./types";

let clock: ManualClock;
let network: FakeNetwork;
let storage: MemoryStore;
/** Answers to HTTP calls by path, and for further pages by "path after cursor"; anything else is 404. */
let pages: Record<string, unknown>;
let chat: Chat;

beforeEach(() => {
  clock = new ManualClock();
  network = new FakeNetwork();
  storage = new MemoryStore();
  pages = {};
  chat = open();
});

function open(): Chat {
  const http = new Http("", null, (input) => {
    const [path = "", query = ""] = (input as string).split("?");
    const after = new URLSearchParams(query).get("after");
    const found = pages[after === null ? path : `${path} after ${after}`];
    return Promise.resolve(new Response(JSON.stringify(found ?? {}), { status: found === undefined ? 404 : 200 }));
  });
  return new Chat({
    me: { id: ME, username: "me" } as OwnUser,
    api: new Api(http),
    clock,
    storage,
    locks: new LocalLocks(),
    device: { id: "device", name: "Test" },
    open: network.open,
    accessToken: () => Promise.resolve("token"),
    expiresAt: () => null,
    onSignedOut: () => undefined,
  });
}

async function online(...rooms: ReturnType<typeof room>[]): Promise<void> {
  chat.start();
  await settled();
  network.current.ready(rooms);
  await settled();
}

async function reconnect(...rooms: ReturnType<typeof room>[]): Promise<void> {
  await reconnectWith({}, ...rooms);
}

/** `extra` is what else `ready` says. */
async function reconnectWith(extra: object, ...rooms: ReturnType<typeof room>[]): Promise<void> {
  network.current.onclose?.(1006, "");
  await clock.advance(15_000);
  network.current.ready(rooms, extra);
  await settled();
}

function state() {
  const found = chat.rooms.get(ROOM);
  if (found === undefined) throw new Error("no room");
  return found.state.get();
}

async function answerCatchUp(from: number, to: number, lastSeq: number, more: boolean): Promise<void> {
  const events = Array.from({ length: to - from + 1 }, (_, i) => posted(from + i));
  network.current.deliver({ type: "ok", re: network.current.last("room.catch_up").id, events, last_seq: lastSeq, more });
  await settled();
}

describe("following a room", () => {
  test("live events are applied and counted", async () => {
    await online(room({ last_seq: 4, read_seq: 4 }));
    network.current.deliver(posted(5));
    network.current.deliver(posted(6, { from: ME }));
    expect(seqs(state().entries)).toEqual([5, 6]);
    expect(state().info).toMatchObject({ last_seq: 6, unread: 1 });
  });

  test("a jump is caught up page by page, and what came meanwhile follows", async () => {
    await online(room({ last_seq: 0 }));
    network.current.deliver(posted(6));
    await settled();
    expect(network.current.last("room.catch_up")).toMatchObject({ room_id: ROOM, after: 0 });
    network.current.deliver(posted(7));
    await answerCatchUp(1, 3, 7, true);
    expect(network.current.last("room.catch_up")).toMatchObject({ after: 3 });
    await answerCatchUp(4, 6, 7, false);
    expect(seqs(state().entries)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(network.current.frames("room.catch_up")).toHaveLength(2);
  });

  test("room.lagged is caught up too", async () => {
    await online(room({ last_seq: 2 }));
    network.current.deliver({ type: "room.lagged", room_id: ROOM, last_seq: 4 });
    await settled();
    await answerCatchUp(3, 4, 4, false);
    expect(state().info.last_seq).toBe(4);
  });

  test("a room that may not be caught up any more is gone", async () => {
    await online(room({ last_seq: 2 }));
    network.current.deliver({ type: "room.lagged", room_id: ROOM, last_seq: 4 });
    await settled();
    const { id } = network.current.last("room.catch_up");
    network.current.deliver({ type: "error", re: id, code: "chat.room_not_found", message: "", retry: "never" });
    await settled();
    expect(chat.rooms.get(ROOM)).toBeUndefined();
  });

  test("a busy engine is asked again later", async () => {
    await online(room({ last_seq: 2 }));
    network.current.deliver({ type: "room.lagged", room_id: ROOM, last_seq: 4 });
    await settled();
    const { id } = network.current.last("room.catch_up");
    network.current.deliver({ type: "error", re: id, code: "busy", message: "", retry: "later", retry_after_ms: 700 });
    await clock.advance(699);
    expect(network.current.frames("room.catch_up")).toHaveLength(1);
    await clock.advance(1);
    await answerCatchUp(3, 4, 4, false);
    expect(state().info.last_seq).toBe(4);
  });

  test("an event of a kind from the future keeps its place in the order", async () => {
    await online(room({ last_seq: 0 }));
    network.current.deliver({ type: "reaction.added", room_id: ROOM, seq: 1, emoji: "x" });
    network.current.deliver(posted(2));
    expect(seqs(state().entries)).toEqual([1, 2]);
    expect(network.current.frames("room.catch_up")).toHaveLength(0);
  });

  test("older pages come from the same log, however few the engine gives at a time", async () => {
    await online(room({ last_seq: 130 }));
    const loading = chat.rooms.get(ROOM)?.loadOlder();
    await settled();
    expect(network.current.last("room.catch_up")).toMatchObject({ after: 80, limit: 50 });
    await answerCatchUp(81, 110, 130, true);
    expect(network.current.last("room.catch_up")).toMatchObject({ after: 110, limit: 20 });
    await answerCatchUp(111, 130, 130, false);
    await loading;
    expect(state().entries).toHaveLength(50);
    expect(state().hasOlder).toBe(true);
  });
});

describe("coming back", () => {
  test("hello resumes from what was applied, and what follows is not counted twice", async () => {
    await online(room({ last_seq: 0 }));
    network.current.deliver(posted(1));
    await reconnect(room({ last_seq: 3, unread: 3 }));
    expect(network.current.last("hello").resume).toEqual({ [ROOM]: 1 });
    network.current.deliver(posted(2));
    network.current.deliver(posted(3));
    expect(seqs(state().entries)).toEqual([1, 2, 3]);
    expect(state().info.unread).toBe(3);
    network.current.deliver(posted(4));
    expect(state().info.unread).toBe(4);
  });

  test("a catch-up that the lost link cut off is left to the resume", async () => {
    await online(room({ last_seq: 0 }));
    network.current.deliver(posted(5));
    await settled();
    await reconnect(room({ last_seq: 5 }));
    expect(network.current.frames("room.catch_up")).toHaveLength(0);
    for (let seq = 1; seq <= 5; seq += 1) network.current.deliver(posted(seq));
    expect(seqs(state().entries)).toEqual([1, 2, 3, 4, 5]);
  });

  test("a room that ready no longer lists goes only when the engine says so", async () => {
    await online(room({ last_seq: 1 }));
    pages[`/rooms/${ROOM}`] = room({ last_seq: 1 });
    await reconnect();
    expect(chat.rooms.get(ROOM)).toBeDefined();
    pages = {};
    await reconnect();
    expect(chat.rooms.get(ROOM)).toBeUndefined();
  });

  test("more rooms than one hello takes: the one on the screen is resumed, the rest start at their end", async () => {
    const many = Array.from({ length: 1_200 }, (_, index) => {
      const second = String(index % 60).padStart(2, "0");
      return room({ id: `room-${index}`, last_seq: 5, last_message_at: `2030-01-01T00:${second}:00Z` });
    });
    await online(...many);
    chat.rooms.get("room-0")?.view();
    let told = 0;
    chat.rooms.state.subscribe(() => told++);
    await reconnect(...many.map((info) => ({ ...info, last_seq: 7 })));
    expect(told).toBe(1);
    const resume = network.current.last("hello").resume ?? {};
    expect(Object.keys(resume)).toHaveLength(1_000);
    expect(resume["room-0"]).toBe(5);
    const left = many.find((info) => !(info.id in resume));
    expect(chat.rooms.get(left?.id ?? "")?.lastSeq).toBe(7);
    expect(chat.rooms.get("room-0")?.lastSeq).toBe(5);
  });

  test("a room that went back, as after an older backup, is started anew", async () => {
    await online(room({ last_seq: 9 }));
    await reconnect(room({ last_seq: 2 }));
    network.current.deliver(posted(3));
    expect(seqs(state().entries)).toEqual([3]);
  });
});

describe("another life of the log", () => {
  test("hello says of which one we have what we have", async () => {
    await online(room({ last_seq: 1 }));
    expect(network.current.last("hello")).not.toHaveProperty("epoch");
    await reconnect(room({ last_seq: 1 }));
    expect(network.current.last("hello")).toMatchObject({ epoch: "first" });
  });

  test("drops what we have, also where the numbers would fit", async () => {
    await online(room({ last_seq: 0 }));
    for (const seq of [1, 2, 3]) network.current.deliver(posted(seq, { content: "old" }));
    const before = chat.rooms.get(ROOM)?.key;
    await reconnectWith({ epoch: "second" }, room({ last_seq: 5 }));
    expect(state().entries).toEqual([]);
    expect(chat.rooms.get(ROOM)?.key).not.toBe(before);
    network.current.deliver(posted(6));
    expect(seqs(state().entries)).toEqual([6]);
    await reconnectWith({ epoch: "second" }, room({ last_seq: 6 }));
    expect(network.current.last("hello")).toMatchObject({ epoch: "second", resume: { [ROOM]: 6 } });
    expect(seqs(state().entries)).toEqual([6]);
  });

  test("keeps what was not sent, and forgets what the old one had acknowledged", async () => {
    await online(room({ last_seq: 0 }));
    chat.outbox.post(ROOM, "acknowledged");
    await settled();
    network.current.deliver({ type: "ok", re: network.current.last("message.post").id, room_id: ROOM, seq: 9 });
    await settled();
    chat.outbox.post(ROOM, "not sent");
    await settled();
    const { client_id: clientId } = network.current.last("message.post");
    await reconnectWith({ epoch: "second" }, room({ last_seq: 2 }));
    expect(chat.outbox.entries.get().map((entry) => entry.content)).toEqual(["not sent"]);
    expect(network.current.last("message.post").client_id).toBe(clientId);
  });

  test("takes no read marks of the old one", async () => {
    await online(room({ last_seq: 0 }));
    network.current.deliver(posted(1));
    chat.rooms.get(ROOM)?.markRead();
    await reconnectWith({ epoch: "second" }, room({ last_seq: 5, unread: 5 }));
    await clock.advance(1_000);
    expect(network.current.frames("receipt.mark")).toEqual([]);
    expect(state().info.unread).toBe(5);
  });
});

describe("what cannot be resumed", () => {
  const refused = { resume_refused: [{ room_id: ROOM, reason: "ahead" }] };

  test("is read anew when it is listed", async () => {
    await online(room({ last_seq: 0 }));
    network.current.deliver(posted(1));
    await reconnectWith(refused, room({ last_seq: 1 }));
    expect(state().entries).toEqual([]);
    expect(chat.rooms.get(ROOM)?.lastSeq).toBe(1);
  });

  test("is asked for when it is not listed", async () => {
    await online(room({ last_seq: 0 }));
    network.current.deliver(posted(1));
    pages[`/rooms/${ROOM}`] = room({ last_seq: 8 });
    await reconnectWith({ ...refused, rooms_truncated: true });
    expect(chat.rooms.get(ROOM)?.lastSeq).toBe(8);
    pages = {};
    await reconnectWith({ ...refused, rooms_truncated: true });
    expect(chat.rooms.get(ROOM)).toBeUndefined();
  });

  test("is read anew, too, when catching up says that the room has not come so far", async () => {
    await online(room({ last_seq: 9 }));
    network.current.deliver({ type: "room.lagged", room_id: ROOM, last_seq: 12 });
    await settled();
    pages[`/rooms/${ROOM}`] = room({ last_seq: 4 });
    const { id } = network.current.last("room.catch_up");
    network.current.deliver({ type: "error", re: id, code: "chat.ahead", message: "", retry: "never" });
    await settled();
    expect(chat.rooms.get(ROOM)?.lastSeq).toBe(4);
  });
});

describe("a list that is not complete", () => {
  const older = (id: string, extra = {}) => room({ id, last_message_at: "2029-01-01T00:00:00Z", ...extra });
  const ids = () => chat.rooms.state.get().list.map((info) => info.id);

  async function truncated(...rooms: ReturnType<typeof room>[]): Promise<void> {
    chat.start();
    await settled();
    network.current.ready(rooms, { rooms_truncated: true });
    await settled();
  }

  test("goes on by page, past what is here already", async () => {
    await truncated(room({ last_message_at: "2030-01-01T00:00:00Z" }));
    expect(chat.rooms.state.get().more).toBe("idle");
    pages["/rooms"] = { items: [room()], next: "a" };
    pages["/rooms after a"] = { items: [older("second")], next: "b" };
    pages["/rooms after b"] = { items: [older("third")], next: null };
    await chat.rooms.loadMore();
    expect(ids()).toEqual([ROOM, "second"]);
    expect(chat.rooms.state.get().more).toBe("idle");
    await chat.rooms.loadMore();
    expect(ids()).toEqual([ROOM, "second", "third"]);
    expect(chat.rooms.state.get().more).toBe("none");
  });

  test("says when a page did not come, and asks again", async () => {
    await truncated(room());
    await chat.rooms.loadMore();
    expect(chat.rooms.state.get().more).toBe("failed");
    pages["/rooms"] = { items: [], next: null };
    await chat.rooms.loadMore();
    expect(chat.rooms.state.get().more).toBe("none");
  });

  test("gets a room when something happens there, with all that happened meanwhile", async () => {
    await truncated();
    pages[`/rooms/${ROOM}`] = room({ last_seq: 4, unread: 1 });
    for (const seq of [4, 5, 6]) network.current.deliver(posted(seq));
    await settled();
    expect(ids()).toEqual([ROOM]);
    expect(state().info).toMatchObject({ last_seq: 6, unread: 3 });
    expect(seqs(state().entries)).toEqual([4, 5, 6]);
    expect(network.current.frames("room.catch_up")).toEqual([]);
  });

  test("keeps a room that follows by its events, and lets one go that does not", async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => {
      const at = new Date(Date.UTC(2030, 0, 1, 0, 0, 0, 1_001 - index)).toISOString();
      return room({ id: `room-${index}`, last_seq: 1, last_message_at: at });
    });
    await truncated(...many);
    await reconnectWith({ rooms_truncated: true });
    expect(chat.rooms.get("room-0")).toBeDefined();
    expect(chat.rooms.get("room-1000")).toBeUndefined();
  });

  test("has a room that somebody opens by its address, unless it is none of ours", async () => {
    await truncated();
    pages[`/rooms/${ROOM}`] = room();
    pages["/rooms/channel"] = room({ id: "channel", kind: "channel", role: null });
    await expect(chat.rooms.find(ROOM)).resolves.toMatchObject({ id: ROOM });
    await expect(chat.rooms.find("channel")).resolves.toBeUndefined();
    await expect(chat.rooms.find("nowhere")).resolves.toBeUndefined();
  });

  test("asks for no room when it is complete: such an event is of one that we left", async () => {
    await online();
    pages[`/rooms/${ROOM}`] = room({ last_seq: 4 });
    network.current.deliver(posted(4));
    await settled();
    expect(ids()).toEqual([]);
  });
});

describe("membership", () => {
  test("being added follows the room from where it is", async () => {
    await online();
    network.current.deliver({ type: "room.joined", room: room({ last_seq: 8 }) });
    network.current.deliver(posted(9));
    expect(chat.rooms.state.get().list.map((info) => info.id)).toEqual([ROOM]);
    expect(seqs(state().entries)).toEqual([9]);
  });

  test("being removed takes the room away", async () => {
    await online(room({ last_seq: 1 }));
    const at = "2030-01-01T00:00:00Z";
    network.current.deliver({ type: "member.removed", room_id: ROOM, seq: 2, user_id: ME, by: OTHER, at });
    expect(chat.rooms.state.get().list).toEqual([]);
  });

  test("names and topics follow, also when a topic is taken away", async () => {
    await online(room({ last_seq: 1, topic: "old" }));
    const at = "2030-01-01T00:00:00Z";
    network.current.deliver({ type: "room.updated", room_id: ROOM, seq: 2, name: "New", topic: null, by: OTHER, at });
    expect(state().info).toMatchObject({ name: "New", topic: "" });
  });
});

describe("spaces", () => {
  test("leaving one takes its channels out of the list", async () => {
    const channel = room({ id: "channel", kind: "channel", space_id: "school" });
    await online(room(), channel);
    pages[`/spaces/school/members/${ME}`] = {};
    await chat.leaveSpace("school");
    expect(chat.rooms.state.get().list.map((info) => info.id)).toEqual([ROOM]);
  });

  test("a space that one cannot leave keeps its channels", async () => {
    const channel = room({ id: "channel", kind: "channel", space_id: "school" });
    await online(channel);
    await expect(chat.leaveSpace("school")).rejects.toThrow();
    expect(chat.rooms.get("channel")).toBeDefined();
  });

  test("are read again when another channel is ours", async () => {
    await online();
    pages["/spaces"] = { items: [{ id: "school", name: "School", role: "member" }] };
    pages["/spaces/school/rooms"] = { items: [{ id: "channel", joined: true }] };
    const channel = room({ id: "channel", kind: "channel", space_id: "school" });
    network.current.deliver({ type: "room.joined", room: channel });
    await settled();
    expect(chat.spaces.list.get().map(({ space }) => space.name)).toEqual(["School"]);
    expect(chat.spaces.roleIn("school")).toBe("member");
  });
});

describe("people who are asked first", () => {
  test("are known of a room that was made with them, and of one that they are added to", async () => {
    await online();
    pages["/rooms"] = { ...room(), invited: [OTHER] };
    const made = await chat.createRoom({ kind: "group", name: "Team", member_ids: [OTHER] });
    expect(made.info).not.toHaveProperty("invited");
    pages[`/rooms/${ROOM}/members`] = { user_id: "cleo", role: "member", invitation_id: "i" };
    await expect(chat.addMember(ROOM, "cleo")).resolves.toBe(false);
    pages[`/rooms/${ROOM}/members`] = { user_id: "dan", role: "member" };
    await expect(chat.addMember(ROOM, "dan")).resolves.toBe(true);
    expect(chat.invitations.asked.get().get(ROOM)).toEqual([OTHER, "cleo"]);
  });
});

describe("receipts", () => {
  test("reading counts down here at once and tells the engine once", async () => {
    await online(room({ last_seq: 0 }));
    for (let seq = 1; seq <= 3; seq += 1) network.current.deliver(posted(seq));
    expect(state().info.unread).toBe(3);
    chat.rooms.get(ROOM)?.markRead();
    chat.rooms.get(ROOM)?.markRead();
    expect(state().info.unread).toBe(0);
    await clock.advance(300);
    expect(network.current.frames("receipt.mark")).toMatchObject([{ room_id: ROOM, delivered_seq: 3, read_seq: 3 }]);
  });

  test("a mark that the lost link took is sent again", async () => {
    await online(room({ last_seq: 0 }));
    network.current.deliver(posted(1));
    chat.rooms.get(ROOM)?.markRead();
    await clock.advance(300);
    await reconnect(room({ last_seq: 1, unread: 1 }));
    expect(state().info.unread).toBe(0);
    await clock.advance(300);
    expect(network.current.frames("receipt.mark")).toHaveLength(1);
  });

  test("reading on another device counts down here", async () => {
    await online(room({ last_seq: 0 }));
    for (let seq = 1; seq <= 3; seq += 1) network.current.deliver(posted(seq));
    network.current.deliver({ type: "receipt.updated", room_id: ROOM, user_id: ME, delivered_seq: 3, read_seq: 2 });
    expect(state().info.unread).toBe(1);
  });
});

describe("the outbox on a link", () => {
  test("a message whose answer was lost goes out again with the same client_id and is shown once", async () => {
    await online(room({ last_seq: 0 }));
    chat.outbox.post(ROOM, "hello");
    await settled();
    const { client_id: clientId } = network.current.last("message.post");
    await reconnect(room({ last_seq: 1 }));
    expect(network.current.last("message.post").client_id).toBe(clientId);
    network.current.deliver(posted(1, { from: ME, clientId, content: "hello" }));
    network.current.deliver({ type: "ok", re: network.current.last("message.post").id, room_id: ROOM, seq: 1 });
    await settled();
    expect(chat.outbox.entries.get()).toEqual([]);
    expect(seqs(state().entries)).toEqual([1]);
    expect(state().info.unread).toBe(0);
  });

  test("an answer that comes before the event leaves no moment without the message", async () => {
    await online(room({ last_seq: 0 }));
    chat.outbox.post(ROOM, "hello");
    await settled();
    const { id, client_id: clientId } = network.current.last("message.post");
    network.current.deliver({ type: "ok", re: id, room_id: ROOM, seq: 1 });
    await settled();
    expect(chat.outbox.entries.get().map((entry) => entry.state)).toEqual(["sent"]);
    network.current.deliver(posted(1, { from: ME, clientId, content: "hello" }));
    expect(chat.outbox.entries.get()).toEqual([]);
  });

  test("what was written before a reload is sent after it", async () => {
    chat.outbox.post(ROOM, "one");
    chat.outbox.post(ROOM, "two");
    chat.stop();
    chat = open();
    await online(room({ last_seq: 0 }));
    expect(network.current.frames("message.post").map((frame) => frame.content)).toEqual(["one"]);
    network.current.deliver({ type: "ok", re: network.current.last("message.post").id, room_id: ROOM, seq: 1 });
    await settled();
    expect(network.current.frames("message.post").map((frame) => frame.content)).toEqual(["one", "two"]);
  });
});
