/**
 * The signed-in session: who we are and the tokens that prove it, shared by all tabs through storage.
 *
 * A refresh token is spent once. Sent again within a minute, while what replaced it is unused, it is answered alike;
 * later the engine takes it for theft and ends the session. So tabs refresh one at a time under a lock and first look
 * whether another tab has already done it. Its word for that is `successor`, because storage may still show the old
 * token for a moment. Where browsers have no lock across tabs (plain HTTP), two that refresh at once live by that
 * minute, and so does whoever lost an answer.
 *
 * Invariant: a tab ends the session only for a refusal of the newest token that any tab has.
 */
import type { Clock } from "./clock";
import { ProblemError, SignedOut } from "./errors";
import type { TokenSource } from "./http";
import type { SharedCell } from "./shared-cell";
import type { KeyValueStore, Locks } from "./storage";
import { Store } from "./store";
import type { OwnUser, Tokens } from "./types";

export interface StoredSession {
  readonly user: OwnUser;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly expiresAt: number;
}

/** What came of the newest refresh. */
interface Successor {
  /** The refresh token that was spent. */
  readonly spent: string;
  readonly session: StoredSession;
}

const KEY = "parlance.session";
/** Refresh this long before the end, so that a request under way does not expire on the road. */
const EARLY_MS = 30_000;
/** Tokens that one call may be refused before it gives up: other tabs do not refresh faster than it asks. */
const REFUSALS_MAX = 3;

export interface SessionDeps {
  readonly storage: KeyValueStore;
  readonly locks: Locks;
  readonly successor: SharedCell;
  readonly clock: Clock;
  refresh(refreshToken: string): Promise<Tokens>;
}

export class Session implements TokenSource {
  readonly current: Store<StoredSession | null>;

  constructor(private readonly deps: SessionDeps) {
    this.current = new Store(this.read());
    // Another tab signed in, signed out or refreshed.
    deps.storage.onChange((key) => {
      if (key === null || key === KEY) this.current.set(this.read());
    });
  }

  begin(tokens: Tokens): void {
    this.keep(this.sessionOf(tokens));
  }

  end(): void {
    this.deps.storage.remove(KEY);
    this.current.set(null);
    // It holds tokens too. Nobody waits for this: without a session nobody reads it.
    void this.deps.successor.write(null);
  }

  /** When one of our access tokens expires, by this machine's clock; null for any other token. */
  expiresAt(accessToken: string): number | null {
    const session = this.current.get();
    return session?.accessToken === accessToken ? session.expiresAt : null;
  }

  /** A token that is good now; `rejected` is one that the engine refused although it looked good. */
  async accessToken(rejected?: string): Promise<string> {
    const session = this.current.get();
    if (session === null) throw new SignedOut();
    if (this.isGood(session, rejected)) return session.accessToken;
    const { user } = session;
    return this.deps.locks.run("parlance.refresh", () => this.refresh(user.id, rejected));
  }

  private sessionOf(tokens: Tokens): StoredSession {
    return {
      user: tokens.user,
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token,
      expiresAt: this.deps.clock.now() + tokens.expires_in * 1000,
    };
  }

  private keep(session: StoredSession): void {
    try {
      this.deps.storage.set(KEY, JSON.stringify(session));
    } catch {
      // Nothing takes it any more: the session then lasts as long as this page.
    }
    this.current.set(session);
  }

  private async refresh(userId: string, rejected: string | undefined): Promise<string> {
    let refused: string | null = null;
    for (let refusals = 0; refusals < REFUSALS_MAX; refusals += 1) {
      // While we waited for the lock or the answer, another tab may have refreshed, signed out, or signed in as
      // someone else.
      const session = await this.newest();
      this.current.set(session);
      if (session?.user.id !== userId) throw new SignedOut();
      if (this.isGood(session, rejected)) return session.accessToken;
      if (session.refreshToken === refused) break;
      try {
        return await this.replace(session);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refused = session.refreshToken;
      }
    }
    this.end();
    throw new SignedOut();
  }

  private async replace(session: StoredSession): Promise<string> {
    const next = this.sessionOf(await this.trade(session.refreshToken));
    this.keep(next);
    // Before the lock is given up: the next tab must not take what we have spent.
    await this.deps.successor.write({ spent: session.refreshToken, session: next } satisfies Successor);
    return next.accessToken;
  }

  /** Once more at once when the answer was lost: the engine gives the same one again, but not for long. */
  private async trade(refreshToken: string): Promise<Tokens> {
    try {
      return await this.deps.refresh(refreshToken);
    } catch (error) {
      if (error instanceof ProblemError && !error.reached) return this.deps.refresh(refreshToken);
      throw error;
    }
  }

  private async newest(): Promise<StoredSession | null> {
    const stored = this.read();
    const successor = (await this.deps.successor.read()) as Partial<Successor> | null | undefined;
    const replaced = stored !== null && successor?.spent === stored.refreshToken;
    return replaced ? (successor.session ?? stored) : stored;
  }

  private isGood(session: StoredSession, rejected: string | undefined): boolean {
    return session.accessToken !== rejected && session.expiresAt - EARLY_MS > this.deps.clock.now();
  }

  private read(): StoredSession | null {
    const text = this.deps.storage.get(KEY);
    if (text === null) return null;
    try {
      const session = JSON.parse(text) as Partial<StoredSession>;
      const complete =
        typeof session.user?.id === "string" &&
        typeof session.accessToken === "string" &&
        typeof session.refreshToken === "string" &&
        typeof session.expiresAt === "number";
      return complete ? (session as StoredSession) : null;
    } catch {
      return null;
    }
  }
}

/** The engine's own "no". One that is away, busy or asked too often says nothing about the session. */
function isRefusal(error: unknown): boolean {
  return error instanceof ProblemError && (error.status === 400 || error.status === 401 || error.status === 403);
}
