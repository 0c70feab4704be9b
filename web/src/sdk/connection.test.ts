import { beforeEach, describe, expect, test } from "vitest";
import { Connection } from "./connection";
import { CommandError, LinkLost, SignedOut } from "./errors";
import { FakeNetwork } from "./testing/fake-socket";
import { ManualClock, settled } from "./testing/manual-clock";
import type { Ready, ServerFrame } from "./types";

let clock: ManualClock;
let network: FakeNetwork;
let tokens: string[];
let askedWith: (string | undefined)[];
let expiresAt: number | null;
let events: string[];
let frames: ServerFrame[];
let readies: Ready[];
let connection: Connection;

beforeEach(() => {
  clock = new ManualClock();
  network = new FakeNetwork();
  tokens = [];
  askedWith = [];
  expiresAt = null;
  events = [];
  frames = [];
  readies = [];
  connection = new Connection({
    clock,
    device: { id: "device", name: "Test" },
    open: network.open,
    accessToken: (rejected) => {
      askedWith.push(rejected);
      const token = tokens.shift() ?? "token";
      return token === "gone" ? Promise.reject(new SignedOut()) : Promise.resolve(token);
    },
    expiresAt: () => expiresAt,
    resume: () => ({ resume: { room: 7 }, epoch: "first" }),
    onReady: (ready) => readies.push(ready),
    onFrame: (frame) => frames.push(frame),
    onLost: () => events.push("lost"),
    onSignedOut: () => events.push("signed out"),
  });
});

async function goOnline(): Promise<void> {
  connection.start();
  await settled();
  network.current.ready();
}

describe("coming up", () => {
  test("hello carries the token, the device and what to resume from", async () => {
    connection.start();
    await settled();
    expect(connection.state.get().name).toBe("connecting");
    network.current.ready();
    expect(network.current.last("hello")).toMatchObject({
      token: "token",
      device: { id: "device" },
      resume: { room: 7 },
      epoch: "first",
    });
    expect(connection.isOnline).toBe(true);
    expect(readies).toHaveLength(1);
  });

  test("an engine that does not answer is given up and tried again", async () => {
    connection.start();
    await clock.advance(10_000);
    expect(network.sockets[0]?.closed).toBe(true);
    expect(connection.state.get().name).toBe("waiting");
    await clock.advance(500);
    expect(network.sockets).toHaveLength(2);
  });
});

describe("heartbeats", () => {
  test("it pings every heartbeat and stays while the engine answers", async () => {
    await goOnline();
    for (let beat = 0; beat < 10; beat += 1) {
      await clock.advance(25_000);
      network.current.deliver({ type: "pong", re: network.current.last("ping").id });
    }
    expect(network.current.frames("ping")).toHaveLength(10);
    expect(network.sockets).toHaveLength(1);
  });

  test("silence for two heartbeats is a dead link", async () => {
    await goOnline();
    await clock.advance(49_999);
    expect(connection.isOnline).toBe(true);
    await clock.advance(1);
    expect(connection.isOnline).toBe(false);
    expect(events).toEqual(["lost"]);
    expect(network.current.closed).toBe(true);
  });

  test("when timers are held up, as in a hidden tab, the server's heartbeat is answered", async () => {
    await goOnline();
    // Time passes without any timer getting its turn.
    const now = clock.now() + 30_000;
    clock.now = () => now;
    network.current.deliver({ type: "heartbeat", at: "2030-01-01T00:00:00Z" });
    expect(network.current.frames("ping")).toHaveLength(1);
  });

  test("after the network changed, a link that does not answer is replaced", async () => {
    await goOnline();
    await clock.advance(1_000);
    connection.reconnectNow();
    await clock.advance(5_000);
    expect(connection.isOnline).toBe(false);
  });
});

describe("coming back", () => {
  for (const code of [1006, 1000, 1011, 4000, 4001, 4002, 4003, 4499]) {
    test(`close code ${code} reconnects`, async () => {
      await goOnline();
      network.current.onclose?.(code, "");
      expect(connection.state.get().name).toBe("waiting");
      await clock.advance(500);
      expect(network.sockets).toHaveLength(2);
    });
  }

  test("the delays grow, and say when the next try is", async () => {
    clock.chance = 0.999_999;
    await goOnline();
    const delays: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      network.current.onclose?.(1006, "");
      const state = connection.state.get();
      if (state.name !== "waiting") throw new Error(state.name);
      delays.push(state.retryAt - clock.now());
      await clock.advance(state.retryAt - clock.now());
    }
    expect(delays).toEqual([499, 999, 1999, 3999, 7999, 14_999, 14_999]);
  });

  test("only a link that held makes the next delay short again", async () => {
    clock.chance = 0.999_999;
    await goOnline();
    network.current.onclose?.(1006, "");
    await clock.advance(499);
    network.current.ready();
    network.current.onclose?.(1006, "");
    expect(connection.state.get()).toMatchObject({ attempt: 2 });
    await clock.advance(999);
    network.current.ready();
    await clock.advance(10_000);
    network.current.onclose?.(1006, "");
    expect(connection.state.get()).toMatchObject({ attempt: 1 });
  });

  test("a hello that is refused for now says why, and comes back when the engine said", async () => {
    connection.start();
    await settled();
    network.current.onopen?.();
    const { id } = network.current.last("hello");
    const refusal = { code: "engine.unavailable", message: "Too many.", retry: "later", retry_after_ms: 10_000 };
    network.current.deliver({ type: "error", re: id, ...refusal });
    expect(connection.state.get()).toMatchObject({ name: "waiting", reason: "Too many.", retryAt: clock.now() + 10_000 });
    await clock.advance(9_999);
    expect(network.sockets).toHaveLength(1);
    await clock.advance(1);
    expect(network.sockets).toHaveLength(2);
    network.current.onclose?.(1006, "");
    expect(connection.state.get()).toMatchObject({ name: "waiting", reason: null });
  });

  test("`reconnectNow` does not wait", async () => {
    await goOnline();
    network.current.onclose?.(1006, "");
    connection.reconnectNow();
    await settled();
    expect(network.sockets).toHaveLength(2);
    await clock.advance(20_000);
    expect(network.sockets.length).toBeLessThanOrEqual(3);
  });

  test("stopping while it waits stops for good", async () => {
    await goOnline();
    network.current.onclose?.(1006, "");
    connection.stop();
    await clock.advance(60_000);
    expect(network.sockets).toHaveLength(1);
  });

  for (const code of [4502, 4503, 4999]) {
    test(`close code ${code} does not reconnect`, async () => {
      await goOnline();
      network.current.onclose?.(code, "no");
      await clock.advance(60_000);
      expect(connection.state.get()).toMatchObject({ name: "refused", code });
      expect(network.sockets).toHaveLength(1);
    });
  }
});

describe("tokens", () => {
  test("a refused token is refreshed once, without delay", async () => {
    tokens = ["old", "new"];
    connection.start();
    await settled();
    network.current.onclose?.(4500, "bad token");
    await settled();
    expect(askedWith).toEqual([undefined, "old"]);
    network.current.ready();
    expect(network.current.last("hello").token).toBe("new");
    expect(connection.isOnline).toBe(true);
  });

  test("a fresh token that is refused too ends the session", async () => {
    connection.start();
    await settled();
    network.current.onclose?.(4500, "");
    await settled();
    network.current.onclose?.(4500, "");
    await clock.advance(60_000);
    expect(events).toEqual(["signed out"]);
    expect(network.sockets).toHaveLength(2);
  });

  test("a token that expires much later is refreshed again", async () => {
    await goOnline();
    for (let i = 0; i < 3; i += 1) {
      network.current.onclose?.(4500, "");
      await settled();
      network.current.ready();
    }
    expect(connection.isOnline).toBe(true);
    expect(events).toEqual(["lost", "lost", "lost"]);
  });

  test("a session that cannot be refreshed is over", async () => {
    tokens = ["old", "gone"];
    connection.start();
    await settled();
    network.current.onclose?.(4500, "");
    await settled();
    expect(connection.state.get().name).toBe("signed_out");
    expect(events).toEqual(["signed out"]);
  });

  test("close code 4501 signs out", async () => {
    await goOnline();
    network.current.onclose?.(4501, "");
    await clock.advance(60_000);
    expect(events).toEqual(["lost", "signed out"]);
    expect(network.sockets).toHaveLength(1);
  });
});

describe("a session that outlives its token", () => {
  const MINUTE_MS = 60_000;

  async function online15Minutes(): Promise<void> {
    expiresAt = clock.now() + 15 * MINUTE_MS;
    await goOnline();
    tokens = ["second", "third"];
  }

  /** Time goes on and the engine speaks, so that the link does not count as silent. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 20_000) {
      await clock.advance(Math.min(left, 20_000));
      network.current.deliver({ type: "heartbeat", at: "2030-01-01T00:00:00Z" });
    }
  }

  async function answerRenewal(): Promise<void> {
    expiresAt = clock.now() + 15 * MINUTE_MS;
    const { id } = network.current.last("auth.renew");
    network.current.deliver({ type: "ok", re: id, expires_at: new Date(expiresAt).toISOString() });
    await settled();
  }

  test("gives the engine another one in time, again and again", async () => {
    await online15Minutes();
    await pass(14 * MINUTE_MS - 1_000);
    expect(network.current.frames("auth.renew")).toHaveLength(0);
    await pass(1_000);
    expect(network.current.last("auth.renew").token).toBe("second");
    expect(askedWith.at(-1)).toBe("token");
    await answerRenewal();
    await pass(14 * MINUTE_MS);
    expect(network.current.last("auth.renew").token).toBe("third");
    expect(askedWith.at(-1)).toBe("second");
    expect(network.sockets).toHaveLength(1);
  });

  test("goes by the engine's word where nothing better is known", async () => {
    connection.start();
    await settled();
    network.current.ready([], { expires_at: new Date(clock.now() + 15 * MINUTE_MS).toISOString() });
    await pass(14 * MINUTE_MS);
    expect(network.current.frames("auth.renew")).toHaveLength(1);
  });

  test("asks no more than every few seconds, however wrong the clocks are", async () => {
    connection.start();
    await settled();
    network.current.ready([], { expires_at: new Date(clock.now() - 60 * MINUTE_MS).toISOString() });
    await pass(4_999);
    expect(network.current.frames("auth.renew")).toHaveLength(0);
    await pass(1);
    expect(network.current.frames("auth.renew")).toHaveLength(1);
  });

  test("tries again when the engine says later", async () => {
    await online15Minutes();
    await pass(14 * MINUTE_MS);
    const { id } = network.current.last("auth.renew");
    network.current.deliver({ type: "error", re: id, code: "busy", message: "", retry: "later", retry_after_ms: 700 });
    await pass(700);
    expect(network.current.frames("auth.renew")).toHaveLength(2);
  });

  test("leaves a refusal to the close that follows, and comes back with a fresh token", async () => {
    await online15Minutes();
    await pass(14 * MINUTE_MS);
    const { id } = network.current.last("auth.renew");
    network.current.deliver({ type: "error", re: id, code: "auth.token_invalid", message: "", retry: "never" });
    await pass(2 * MINUTE_MS);
    expect(network.current.frames("auth.renew")).toHaveLength(1);
    network.current.onclose?.(4500, "expired");
    await settled();
    network.current.ready();
    expect(network.current.last("hello").token).toBe("third");
    expect(connection.isOnline).toBe(true);
  });

  test("refuses the renewed token when that has run out, not the first one", async () => {
    await online15Minutes();
    await pass(14 * MINUTE_MS);
    await answerRenewal();
    network.current.onclose?.(4500, "expired");
    await settled();
    expect(askedWith.at(-1)).toBe("second");
  });

  test("is over when the sign-in is", async () => {
    await online15Minutes();
    tokens = ["gone"];
    await pass(14 * MINUTE_MS);
    expect(events).toEqual(["lost", "signed out"]);
  });
});

describe("commands", () => {
  test("the answer finds its command", async () => {
    await goOnline();
    const first = connection.request({ type: "message.post", room_id: "r", client_id: "1", content: "one" });
    const second = connection.request({ type: "message.post", room_id: "r", client_id: "2", content: "two" });
    const [a, b] = network.current.frames("message.post");
    network.current.deliver({ type: "ok", re: b?.id, seq: 2 });
    network.current.deliver({ type: "error", re: a?.id, code: "busy", message: "Busy.", retry: "later", retry_after_ms: 9 });
    await expect(second).resolves.toMatchObject({ seq: 2 });
    await expect(first).rejects.toMatchObject({ code: "busy", retry: "later", retryAfterMs: 9 });
    await expect(first).rejects.toBeInstanceOf(CommandError);
  });

  test("a lost link fails what is under way", async () => {
    await goOnline();
    const pending = connection.request({ type: "room.catch_up", room_id: "r", after: 0 });
    network.current.onclose?.(1006, "");
    await expect(pending).rejects.toBeInstanceOf(LinkLost);
  });

  test("an answer that does not come fails the command, not the link", async () => {
    await goOnline();
    const pending = connection.request({ type: "room.catch_up", room_id: "r", after: 0 });
    const failed = expect(pending).rejects.toBeInstanceOf(LinkLost);
    await clock.advance(20_000);
    await failed;
    expect(connection.isOnline).toBe(true);
  });

  test("without a link a command fails at once", async () => {
    await expect(connection.request({ type: "ping" })).rejects.toBeInstanceOf(LinkLost);
  });

  test("other frames are passed on, and nonsense is not", async () => {
    await goOnline();
    network.current.onmessage?.("{not json");
    network.current.onmessage?.("42");
    network.current.deliver({ type: "room.lagged", room_id: "r", last_seq: 3 });
    expect(frames).toEqual([{ type: "room.lagged", room_id: "r", last_seq: 3 }]);
  });
});
