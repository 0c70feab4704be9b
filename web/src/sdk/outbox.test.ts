import { beforeEach, describe, expect, test } from "vitest";
import { CommandError, LinkLost } from "./errors";
import { Outbox } from "./outbox";
import { isPost, type OutboxItem } from "./outbox-store";
import { LocalLocks, MemoryStore } from "./storage";
import { ManualClock, settled } from "./testing/manual-clock";

const A = "room-a";
const B = "room-b";

function textOf(item: OutboxItem): string {
  if (isPost(item)) return item.content;
  return `${item.messageId} = ${item.becomes?.content ?? "nothing"}`;
}

/** An engine that takes a message once, whatever is sent. */
class FakeEngine {
  readonly attempts: OutboxItem[] = [];
  readonly log: string[] = [];
  /** Errors for the next attempts; after them, everything is taken. */
  errors: Error[] = [];
  /** While true, sends hang until `answer`. */
  hanging = false;
  losesNextAnswer = false;
  private readonly taken = new Map<string, number>();
  private readonly hung: (() => void)[] = [];

  readonly send = async (item: OutboxItem): Promise<number> => {
    this.attempts.push(item);
    const error = this.errors.shift();
    if (error !== undefined) throw error;
    if (this.hanging) await new Promise<void>((resolve) => this.hung.push(resolve));
    const before = this.taken.get(item.clientId);
    if (before !== undefined) return before;
    this.log.push(textOf(item));
    this.taken.set(item.clientId, this.log.length);
    if (this.losesNextAnswer) {
      this.losesNextAnswer = false;
      throw new LinkLost();
    }
    return this.log.length;
  };

  answer(): void {
    this.hanging = false;
    for (const resolve of this.hung.splice(0)) resolve();
  }
}

let engine: FakeEngine;
let storage: MemoryStore;
let locks: LocalLocks;
let clock: ManualClock;

beforeEach(() => {
  engine = new FakeEngine();
  storage = new MemoryStore();
  locks = new LocalLocks();
  clock = new ManualClock();
});

function open(userId = "me"): Outbox {
  return new Outbox({ userId, storage, locks, clock, send: engine.send, lastSeq: () => 0 });
}

function states(outbox: Outbox): string[] {
  return outbox.entries.get().map((entry) => `${entry.content}: ${entry.state}`);
}

describe("sending", () => {
  test("a message waits while the link is down and goes out when it is up", async () => {
    const outbox = open();
    outbox.post(A, "one");
    await settled();
    expect(states(outbox)).toEqual(["one: waiting"]);
    outbox.setLink(true);
    await settled();
    expect(engine.log).toEqual(["one"]);
  });

  test("the next message of a room waits for the answer to the one before", async () => {
    const outbox = open();
    outbox.setLink(true);
    engine.hanging = true;
    outbox.post(A, "one");
    outbox.post(A, "two");
    outbox.post(B, "elsewhere");
    await settled();
    expect(engine.attempts.map(textOf).sort()).toEqual(["elsewhere", "one"]);
    expect(states(outbox)).toContain("two: waiting");
    engine.answer();
    await settled();
    expect(engine.log.filter((content) => content !== "elsewhere")).toEqual(["one", "two"]);
  });

  test("an acknowledged message stays visible until the log shows it", async () => {
    const outbox = open();
    outbox.setLink(true);
    outbox.post(A, "one");
    await settled();
    expect(states(outbox)).toEqual(["one: sent"]);
    expect(storage.keys("parlance.outbox.")).toEqual([]);
    outbox.seen(A, [engine.attempts[0]?.clientId ?? ""], 1);
    expect(states(outbox)).toEqual([]);
  });

  test("seeing our own message in the log is as good as an answer", async () => {
    const outbox = open();
    outbox.setLink(true);
    engine.hanging = true;
    outbox.post(A, "one");
    await settled();
    outbox.seen(A, [engine.attempts[0]?.clientId ?? ""], 1);
    expect(states(outbox)).toEqual([]);
    engine.answer();
    await settled();
    expect(engine.attempts).toHaveLength(1);
  });

  test("order holds when the clock goes back", async () => {
    const outbox = open();
    outbox.post(A, "one");
    clock.now = () => 5;
    outbox.post(A, "two");
    outbox.setLink(true);
    await settled();
    expect(engine.log).toEqual(["one", "two"]);
  });
});

describe("coming back", () => {
  test("what was written before a reload is sent after it, with the same client_id", async () => {
    const before = open();
    before.post(A, "one");
    before.post(A, "two");
    const ids = before.entries.get().map((entry) => entry.clientId);
    before.stop();

    const after = open();
    expect(states(after)).toEqual(["one: waiting", "two: waiting"]);
    after.setLink(true);
    await settled();
    expect(engine.attempts.map((item) => item.clientId)).toEqual(ids);
    expect(engine.log).toEqual(["one", "two"]);
  });

  test("a lost answer: the same client_id goes out again and the engine keeps one", async () => {
    const outbox = open();
    outbox.setLink(true);
    engine.losesNextAnswer = true;
    outbox.post(A, "one");
    await settled();
    expect(states(outbox)).toEqual(["one: waiting"]);
    outbox.setLink(false);
    outbox.setLink(true);
    await settled();
    expect(engine.attempts).toHaveLength(2);
    expect(engine.attempts[0]?.clientId).toBe(engine.attempts[1]?.clientId);
    expect(engine.log).toEqual(["one"]);
  });

  test("an answer that is long in coming is asked for again while the link is up", async () => {
    const outbox = open();
    outbox.setLink(true);
    engine.errors = [new LinkLost()];
    outbox.post(A, "one");
    await clock.advance(1_000);
    expect(engine.log).toEqual(["one"]);
    expect(engine.attempts).toHaveLength(2);
  });

  test("an item that does not lie under its own key is ignored", async () => {
    const outbox = open();
    storage.set("parlance.outbox.me.x", JSON.stringify({ clientId: "y", roomId: A, content: "odd", order: 1 }));
    storage.set("parlance.outbox.me.z", "{broken");
    outbox.setLink(true);
    await settled();
    expect(engine.attempts).toEqual([]);
  });

  test("one person's messages are not sent as another's", async () => {
    open("ada").post(A, "hers");
    const ben = open("ben");
    ben.setLink(true);
    await settled();
    expect(engine.log).toEqual([]);
  });
});

describe("refusals", () => {
  test("later: tried again after the time that the engine named, and nothing overtakes it", async () => {
    const outbox = open();
    outbox.setLink(true);
    engine.errors = [new CommandError("busy", "Busy.", "later", 2_000)];
    clock.chance = 0;
    outbox.post(A, "one");
    outbox.post(A, "two");
    await clock.advance(1_999);
    expect(engine.attempts).toHaveLength(1);
    await clock.advance(1);
    expect(engine.log).toEqual(["one", "two"]);
  });

  test("later: says why and until when, and no longer once it goes on", async () => {
    const outbox = open();
    outbox.setLink(true);
    engine.errors = [new CommandError("limits.messages", "Too many messages.", "later", 2_000)];
    clock.chance = 0;
    outbox.post(A, "one");
    await settled();
    const delay = { reason: "You are writing faster than this account may.", until: clock.now() + 2_000 };
    expect(outbox.entries.get()).toMatchObject([{ state: "waiting", delay }]);
    engine.hanging = true;
    await clock.advance(2_000);
    expect(outbox.entries.get()[0]?.delay).toBeUndefined();
  });

  test("later without a time: longer and longer", async () => {
    const outbox = open();
    outbox.setLink(true);
    engine.errors = Array.from({ length: 3 }, () => new CommandError("busy", "Busy.", "later"));
    clock.chance = 0.999_999;
    outbox.post(A, "one");
    await clock.advance(999);
    expect(engine.attempts).toHaveLength(2);
    await clock.advance(1_999);
    expect(engine.attempts).toHaveLength(3);
    await clock.advance(3_999);
    expect(engine.log).toEqual(["one"]);
  });

  test("never: marked with the engine's words, the room goes on, and a retry sends the same content", async () => {
    const outbox = open();
    outbox.setLink(true);
    engine.errors = [new CommandError("chat.too_long", "Too long.", "never")];
    outbox.post(A, "one");
    outbox.post(A, "two");
    await settled();
    expect(engine.log).toEqual(["two"]);
    const failed = outbox.entries.get().find((entry) => entry.state === "failed");
    expect(failed).toMatchObject({ content: "one", failure: "Too long." });

    outbox.retry(failed?.clientId ?? "");
    await settled();
    expect(engine.log).toEqual(["two", "one"]);
  });

  test("a failed message is still there after a reload, and can be discarded", async () => {
    const outbox = open();
    outbox.setLink(true);
    engine.errors = [new CommandError("chat.not_a_member", "Not a member.", "never")];
    outbox.post(A, "one");
    await settled();
    outbox.stop();
    const again = open();
    again.setLink(true);
    await settled();
    expect(states(again)).toEqual(["one: failed"]);
    again.discard(again.entries.get()[0]?.clientId ?? "");
    expect(states(again)).toEqual([]);
    expect(engine.attempts).toHaveLength(1);
  });
});

describe("two tabs", () => {
  test("they share the waiting messages and send each once, in order", async () => {
    const left = open();
    const right = open();
    left.post(A, "one");
    right.post(A, "two");
    left.post(A, "three");
    expect(states(right)).toEqual(["one: waiting", "two: waiting", "three: waiting"]);
    left.setLink(true);
    right.setLink(true);
    await settled();
    expect(engine.log).toEqual(["one", "two", "three"]);
    expect(engine.attempts).toHaveLength(3);
  });

  test("when the sending tab loses its link, the other one goes on", async () => {
    const left = open();
    const right = open();
    left.setLink(true);
    engine.errors = [new CommandError("busy", "Busy.", "later", 60_000)];
    left.post(A, "one");
    await settled();
    right.setLink(true);
    left.setLink(false);
    await settled();
    expect(engine.log).toEqual(["one"]);
  });

  test("storage that is full refuses the message instead of losing it", () => {
    const outbox = open();
    storage.set = () => {
      throw new Error("QuotaExceededError");
    };
    expect(() => outbox.post(A, "one")).toThrow("QuotaExceededError");
  });
});
