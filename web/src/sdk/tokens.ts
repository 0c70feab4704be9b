/**
 * The signed-in session: who we are and the tokens that prove it, shared by all tabs through storage.
 *
 * Invariant: a refresh token is spent once. The engine takes a second use for theft and ends the session, so tabs
 * refresh one at a time under a lock and first look whether another tab has already done it.
 */
import type { Clock } from "./clock";
import { ProblemError, SignedOut } from "./errors";
import type { TokenSource } from "./http";
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

const KEY = "parlance.session";
/** Refresh this long before the end, so that a request under way does not expire on the road. */
const EARLY_MS = 30_000;

export interface SessionDeps {
  readonly storage: KeyValueStore;
  readonly locks: Locks;
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
    const session: StoredSession = {
      user: tokens.user,
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token,
      expiresAt: this.deps.clock.now() + tokens.expires_in * 1000,
    };
    this.deps.storage.set(KEY, JSON.stringify(session));
    this.current.set(session);
  }

  end(): void {
    this.deps.storage.remove(KEY);
    this.current.set(null);
  }

  /** A token that is good now; `rejected` is one that the engine refused although it looked good. */
  async accessToken(rejected?: string): Promise<string> {
    const session = this.current.get();
    if (session === null) throw new SignedOut();
    if (this.isGood(session, rejected)) return session.accessToken;
    const { user } = session;
    return this.deps.locks.run("parlance.refresh", () => this.refresh(user.id, rejected));
  }

  private async refresh(userId: string, rejected: string | undefined): Promise<string> {
    // While we waited for the lock, another tab may have refreshed, signed out, or signed in as someone else.
    const session = this.read();
    this.current.set(session);
    if (session?.user.id !== userId) throw new SignedOut();
    if (this.isGood(session, rejected)) return session.accessToken;
    try {
      const tokens = await this.deps.refresh(session.refreshToken);
      this.begin(tokens);
      return tokens.access_token;
    } catch (error) {
      // Only the engine's own "no" ends the session; an engine that is away says nothing about it.
      if (error instanceof ProblemError && (error.status === 400 || error.status === 401 || error.status === 403)) {
        this.end();
        throw new SignedOut();
      }
      throw error;
    }
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
