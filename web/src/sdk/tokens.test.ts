import { beforeEach, describe, expect, test } from "vitest";
import { ProblemError, SignedOut } from "./errors";
import { MemoryCell } from "./shared-cell";
import { LocalLocks, MemoryStore } from "./storage";
import { ManualClock, settled } from "./testing/manual-clock";
import { Session } from "./tokens";
import type { OwnUser, Tokens } from "./types";

let clock: ManualClock;
let storage: MemoryStore;
let locks: LocalLocks;
let successor: MemoryCell;
/** Refresh tokens that the engine was asked with. */
let spent: string[];
let failure: Error | null;

beforeEach(() => {
  clock = new ManualClock();
  storage = new MemoryStore();
  locks = new LocalLocks();
  successor = new MemoryCell();
  spent = [];
  failure = null;
});

function tokens(round: number, userId = "ada"): Tokens {
  const user = { id: userId, username: userId } as OwnUser;
  return { user, access_token: `access-${round}`, refresh_token: `refresh-${round}`, expires_in: 900 };
}

/** An engine that knows no grace: it ends the session when a refresh token is used twice. */
async function refresh(refreshToken: string): Promise<Tokens> {
  await settled();
  if (failure !== null) throw failure;
  if (spent.includes(refreshToken)) throw new ProblemError(401, "auth.refresh_refused", "Signed out.");
  spent.push(refreshToken);
  return tokens(spent.length);
}

function tab(own = storage): Session {
  return new Session({ storage: own, locks, successor, clock, refresh });
}

describe("one tab", () => {
  test("a good token is used as it is", async () => {
    const session = tab();
    session.begin(tokens(0));
    await expect(session.accessToken()).resolves.toBe("access-0");
    expect(spent).toEqual([]);
  });

  test("a token about to expire is refreshed, and the new one is kept", async () => {
    const session = tab();
    session.begin(tokens(0));
    await clock.advance(870_000);
    await expect(session.accessToken()).resolves.toBe("access-1");
    await expect(session.accessToken()).resolves.toBe("access-1");
    expect(tab().current.get()?.refreshToken).toBe("refresh-1");
  });

  test("a token that the engine rejected is refreshed although it looks good", async () => {
    const session = tab();
    session.begin(tokens(0));
    await expect(session.accessToken("access-0")).resolves.toBe("access-1");
  });

  test("many who need a token at once refresh once", async () => {
    const session = tab();
    session.begin(tokens(0));
    const all = await Promise.all(Array.from({ length: 20 }, () => session.accessToken("access-0")));
    expect(new Set(all)).toEqual(new Set(["access-1"]));
    expect(spent).toEqual(["refresh-0"]);
  });

  test("the engine's no ends the session", async () => {
    const session = tab();
    session.begin(tokens(0));
    failure = new ProblemError(401, "auth.refresh_refused", "Signed out.");
    await expect(session.accessToken("access-0")).rejects.toBeInstanceOf(SignedOut);
    expect(session.current.get()).toBeNull();
    expect(tab().current.get()).toBeNull();
  });

  test("an engine that is away does not end the session", async () => {
    const session = tab();
    session.begin(tokens(0));
    for (const error of [new ProblemError(0, "network", "Away."), new ProblemError(503, "engine.busy", "Busy.")]) {
      failure = error;
      await expect(session.accessToken("access-0")).rejects.toBe(error);
    }
    failure = null;
    await expect(session.accessToken("access-0")).resolves.toBe("access-1");
  });

  test("an answer that was lost is asked for again at once, with the same token", async () => {
    const asked: string[] = [];
    const session = new Session({
      storage, locks, successor, clock,
      refresh: (refreshToken) => {
        asked.push(refreshToken);
        if (asked.length === 1) return Promise.reject(new ProblemError(0, "network", "Lost."));
        return Promise.resolve(tokens(1));
      },
    });
    session.begin(tokens(0));
    await expect(session.accessToken("access-0")).resolves.toBe("access-1");
    expect(asked).toEqual(["refresh-0", "refresh-0"]);
  });

  test("being asked to wait does not end the session", async () => {
    const session = tab();
    session.begin(tokens(0));
    failure = new ProblemError(429, "auth.too_many_attempts", "Later.", 1_000);
    await expect(session.accessToken("access-0")).rejects.toBe(failure);
    expect(session.current.get()).not.toBeNull();
  });

  test("it knows when its own token expires", () => {
    const session = tab();
    session.begin(tokens(0));
    expect(session.expiresAt("access-0")).toBe(clock.now() + 900_000);
    expect(session.expiresAt("another")).toBeNull();
  });

  test("what lies in storage may be broken", () => {
    storage.set("parlance.session", "{broken");
    expect(tab().current.get()).toBeNull();
    storage.set("parlance.session", `{"user":{}}`);
    expect(tab().current.get()).toBeNull();
  });
});

describe("several tabs", () => {
  test("two that need a token at once spend one refresh token", async () => {
    const left = tab();
    left.begin(tokens(0));
    const right = tab();
    await clock.advance(890_000);
    const both = await Promise.all([left.accessToken(), right.accessToken()]);
    expect(both).toEqual(["access-1", "access-1"]);
    expect(spent).toEqual(["refresh-0"]);
  });

  test("a tab whose view of storage is behind takes the successor instead of a spent token", async () => {
    // Two stores that do not tell each other anything: the worst that a browser's copies can do.
    const behind = new MemoryStore();
    const left = tab(storage);
    const right = tab(behind);
    left.begin(tokens(0));
    right.begin(tokens(0));
    await clock.advance(890_000);
    const both = await Promise.all([left.accessToken(), right.accessToken()]);
    expect(both).toEqual(["access-1", "access-1"]);
    expect(spent).toEqual(["refresh-0"]);
    expect(right.current.get()).not.toBeNull();
  });

  test("signing out in one signs out the other, also while it waits for a token", async () => {
    const left = tab();
    left.begin(tokens(0));
    const right = tab();
    const waiting = locks.run("parlance.refresh", () => {
      left.end();
      return Promise.resolve();
    });
    await expect(right.accessToken("access-0")).rejects.toBeInstanceOf(SignedOut);
    await waiting;
    expect(right.current.get()).toBeNull();
    expect(spent).toEqual([]);
  });

  test("a tab never gets the token of somebody else who signed in meanwhile", async () => {
    const left = tab();
    left.begin(tokens(0));
    const right = tab();
    const waiting = locks.run("parlance.refresh", () => {
      left.begin(tokens(7, "ben"));
      return Promise.resolve();
    });
    await expect(right.accessToken("access-0")).rejects.toBeInstanceOf(SignedOut);
    await waiting;
  });
});

describe("several tabs without a lock between them", () => {
  /** An engine with its grace: the same successor again while that is unused. */
  class GracefulEngine {
    ended = false;
    private used = -1;
    private round = 0;

    readonly refresh = async (refreshToken: string): Promise<Tokens> => {
      await settled();
      const given = Number(refreshToken.split("-")[1]);
      if (this.ended || given < this.used) {
        this.ended = true;
        throw new ProblemError(401, "auth.refresh_refused", "Signed out.");
      }
      this.used = given;
      this.round += 1;
      return { ...tokens(given + 1), access_token: `access-${given + 1}-${this.round}` };
    };
  }

  function lonely(engine: GracefulEngine, own: MemoryStore, cell = new MemoryCell()): Session {
    return new Session({ storage: own, locks: new LocalLocks(), successor: cell, clock, refresh: engine.refresh });
  }

  test("both refresh at once, and both stay", async () => {
    const engine = new GracefulEngine();
    const left = lonely(engine, storage);
    left.begin(tokens(0));
    const right = lonely(engine, storage);
    await clock.advance(890_000);
    const both = await Promise.all([left.accessToken(), right.accessToken()]);
    expect(both.map((token) => token.slice(0, 8))).toEqual(["access-1", "access-1"]);
    expect(storage.get("parlance.session")).toContain("refresh-1");
    expect(engine.ended).toBe(false);
  });

  test("a refusal of a token that another tab has replaced meanwhile ends nothing", async () => {
    const engine = new GracefulEngine();
    const left = lonely(engine, storage);
    left.begin(tokens(0));
    const right = new Session({
      storage,
      locks: new LocalLocks(),
      successor,
      clock,
      refresh: () => {
        // Meanwhile another tab signs in again, or refreshes.
        left.begin(tokens(5));
        return Promise.reject(new ProblemError(401, "auth.refresh_refused", "Signed out."));
      },
    });
    await expect(right.accessToken("access-0")).resolves.toBe("access-5");
    expect(left.current.get()).not.toBeNull();
  });
});
