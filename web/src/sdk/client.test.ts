import { beforeEach, describe, expect, test, vi } from "vitest";
import { ParlanceClient } from "./client";
import { MemoryCell } from "./shared-cell";
import { LocalLocks, MemoryStore } from "./storage";
import { FakeNetwork } from "./testing/fake-socket";
import { ManualClock, settled } from "./testing/manual-clock";

let clock: ManualClock;
let network: FakeNetwork;
let storage: MemoryStore;
/** What was asked over HTTP, and what is answered by path. */
let calls: { path: string; authorization: string | null; body: unknown }[];
let answers: Record<string, () => Response>;
let client: ParlanceClient;

function signedIn(round: number): Response {
  const user = { id: "ada", username: "ada" };
  const tokens = { access_token: `access-${round}`, refresh_token: `refresh-${round}`, expires_in: 900 };
  return new Response(JSON.stringify({ user, ...tokens }));
}

beforeEach(async () => {
  vi.stubGlobal("navigator", { userAgent: "" });
  clock = new ManualClock();
  network = new FakeNetwork();
  storage = new MemoryStore();
  calls = [];
  answers = { "/auth/login": () => signedIn(1), "/auth/logout": () => new Response(null, { status: 204 }) };
  client = new ParlanceClient({
    clock,
    storage,
    locks: new LocalLocks(),
    successor: new MemoryCell(),
    agent: "",
    open: network.open,
    fetch: (input, init) => {
      const path = (input as string).replace("/api/v1", "");
      const headers = init?.headers as Record<string, string>;
      const body: unknown = init?.body == null ? null : JSON.parse(init.body as string);
      calls.push({ path, authorization: headers.Authorization ?? null, body });
      return Promise.resolve(answers[path]?.() ?? new Response("{}", { status: 404 }));
    },
  });
  await client.login({ login: "ada", password: "secret" });
});

describe("signing out", () => {
  test("sends both tokens, so that an expired access token keeps nobody signed in", async () => {
    await clock.advance(3_600_000);
    await client.logout();
    expect(calls.filter((call) => call.path === "/auth/logout")).toEqual([
      { path: "/auth/logout", authorization: "Bearer access-1", body: { refresh_token: "refresh-1" } },
    ]);
    expect(client.chat.get()).toBeNull();
  });

  test("does not wait for an engine that is away", async () => {
    answers["/auth/logout"] = () => {
      throw new TypeError("Failed to fetch");
    };
    const leaving = client.logout();
    expect(client.chat.get()).toBeNull();
    expect(storage.get("parlance.session")).toBeNull();
    await leaving;
  });
});

test("a session is renewed with a token that was refreshed for it", async () => {
  answers["/auth/refresh"] = () => signedIn(2);
  network.current.ready();
  for (let left = 14 * 60_000; left > 0; left -= 20_000) {
    await clock.advance(20_000);
    network.current.deliver({ type: "heartbeat", at: "2030-01-01T00:00:00Z" });
  }
  await settled();
  expect(network.current.last("auth.renew").token).toBe("access-2");
  expect(network.sockets).toHaveLength(1);
});
