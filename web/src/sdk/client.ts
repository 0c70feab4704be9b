/**
 * The door of the library: who is signed in, and the chat that runs for them.
 *
 * Without arguments it uses the browser it runs in; every part of it can be replaced, which is how tests run it.
 */
import { Api } from "./api";
import { deviceName, openWebSocket, reconnectOnReturn, socketUrl } from "./browser";
import { Chat } from "./chat";
import { systemClock, type Clock } from "./clock";
import type { Socket } from "./connection";
import { Http } from "./http";
import { newId } from "./ids";
import { BrowserCell, type SharedCell } from "./shared-cell";
import { BrowserStore, browserLocks, type KeyValueStore, type Locks } from "./storage";
import { Store } from "./store";
import { Session } from "./tokens";
import type { Credentials, NewAccount, Tokens } from "./types";

const BASE = "/api/v1";
/** A lost answer to a refresh must be noticed while the engine still gives the same one again, which is for 60 s. */
const REFRESH_MS_MAX = 10_000;
const DEVICE_KEY = "parlance.device";

export interface ClientOptions {
  readonly clock: Clock;
  readonly storage: KeyValueStore;
  readonly locks: Locks;
  readonly successor: SharedCell;
  readonly fetch: typeof fetch;
  readonly agent: string;
  open(): Socket;
}

export class ParlanceClient {
  /** Null while nobody is signed in. */
  readonly chat = new Store<Chat | null>(null);
  readonly api: Api;
  /** Where a page may keep its own small things too. */
  readonly storage: KeyValueStore;
  private readonly session: Session;
  private readonly options: ClientOptions;
  private deviceId: string | null = null;

  constructor(options: Partial<ClientOptions> = {}) {
    this.options = { ...browserOptions(), ...options };
    const { storage, locks, successor, clock, fetch } = this.options;
    this.storage = storage;
    const anonymous = new Http(BASE, null, fetch);
    this.session = new Session({
      storage,
      locks,
      successor,
      clock,
      refresh: (refresh_token) =>
        anonymous.call<Tokens>("POST", "/auth/refresh", { body: { refresh_token }, timeoutMs: REFRESH_MS_MAX }),
    });
    this.api = new Api(new Http(BASE, this.session, fetch));
    this.session.current.subscribe(() => this.follow());
    this.follow();
  }

  async register(account: Omit<NewAccount, "device">): Promise<void> {
    this.session.begin(await this.api.register({ ...account, device: this.device() }));
  }

  async login(credentials: Omit<Credentials, "device">): Promise<void> {
    this.session.begin(await this.api.login({ ...credentials, device: this.device() }));
  }

  /** Ends the session here, at once and even when the engine cannot be told. Unsent messages are dropped: ask before. */
  async logout(): Promise<void> {
    const session = this.session.current.get();
    this.chat.get()?.outbox.clear();
    this.session.end();
    if (session !== null) await this.api.logout(session.accessToken, session.refreshToken).catch(() => undefined);
  }

  /** Starts and stops the chat as people sign in and out, in this tab or in another one. */
  private follow(): void {
    const running = this.chat.get();
    const user = this.session.current.get()?.user ?? null;
    if (running?.me.id === user?.id) return;
    running?.stop();
    if (user === null) {
      this.chat.set(null);
      return;
    }
    const chat = new Chat({
      ...this.options,
      me: user,
      api: this.api,
      device: this.device(),
      accessToken: (rejected) => this.session.accessToken(rejected),
      expiresAt: (token) => this.session.expiresAt(token),
      onSignedOut: () => this.session.end(),
    });
    chat.start();
    this.chat.set(chat);
  }

  /** This browser, all tabs of it: signing in again on it ends its earlier sign-in. */
  private device(): { id: string; name: string } {
    const { storage, agent } = this.options;
    this.deviceId ??= storage.get(DEVICE_KEY) ?? newId();
    try {
      storage.set(DEVICE_KEY, this.deviceId);
    } catch {
      // Then it is this device until the page is closed.
    }
    return { id: this.deviceId, name: deviceName(agent) };
  }
}

function browserOptions(): ClientOptions {
  return {
    clock: systemClock,
    storage: new BrowserStore(),
    locks: browserLocks(),
    successor: new BrowserCell("successor"),
    fetch: (input, init) => fetch(input, init),
    agent: navigator.userAgent,
    open: () => openWebSocket(socketUrl(`${BASE}/ws`, location)),
  };
}

/** Lets the link come back at once when the network or the person does. */
export function followBrowser(client: ParlanceClient): void {
  let undo: (() => void) | undefined;
  const follow = () => {
    undo?.();
    const chat = client.chat.get();
    undo = chat === null ? undefined : reconnectOnReturn(chat.connection);
  };
  client.chat.subscribe(follow);
  follow();
}
