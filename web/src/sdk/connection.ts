/**
 * One link to the engine, kept up: hello, heartbeats, answers to commands, and coming back.
 *
 * Knows frames and close codes, nothing of rooms. Invariants: one socket at a time; a command is settled exactly once;
 * after `stop`, a sign-out or a refusal nothing is tried again until `start`.
 */
import { Backoff } from "./backoff";
import type { Cancel, Clock } from "./clock";
import { CommandError, describe, LinkLost, SignedOut } from "./errors";
import { parseFrame } from "./events";
import { Store } from "./store";
import type { AnswerTo, ClientFrame, Command, FrameOf, Ok, Ready, ServerFrame } from "./types";

/** The part of a WebSocket that we use, so that tests can bring their own. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((text: string) => void) | null;
  onclose: ((code: number, reason: string) => void) | null;
  send(text: string): void;
  close(): void;
}

export type LinkState =
  | { readonly name: "stopped" }
  | { readonly name: "connecting"; readonly attempt: number }
  | { readonly name: "online" }
  /** `reason` is the engine's own word, when it had one. */
  | { readonly name: "waiting"; readonly attempt: number; readonly retryAt: number; readonly reason: string | null }
  /** The engine does not want this client; trying again would change nothing. */
  | { readonly name: "refused"; readonly code: number; readonly reason: string }
  | { readonly name: "signed_out" };

/** What a hello asks to go on from. */
export interface Resumption {
  /** For each room that we follow, the last `seq` that we have. */
  readonly resume: Record<string, number>;
  /** The life of the log that this is of; none before the first answer. */
  readonly epoch?: string;
}

export interface ConnectionDeps {
  readonly clock: Clock;
  readonly device: { readonly id: string; readonly name: string };
  open(): Socket;
  accessToken(rejected?: string): Promise<string>;
  /** When a token expires by this machine's clock, where that is known better than from the engine's. */
  expiresAt(token: string): number | null;
  resume(): Resumption;
  onReady(ready: Ready): void;
  /** Frames that answer no command. */
  onFrame(frame: ServerFrame): void;
  onLost(): void;
  onSignedOut(): void;
}

/** Limits of the link, with their units. */
const OPEN_MS_MAX = 10_000;
const ANSWER_MS_MAX = 20_000;
/** A link that held this long counts as good, and the next loss starts again from a short delay. */
const STABLE_MS = 10_000;
/** After the network changed, a link that stays silent this long is taken for dead. */
const PROBE_MS_MAX = 5_000;
/** The engine ends a session a minute after its token: this long before, at most, it is given another one. */
const RENEW_EARLY_MS = 60_000;
const RENEW_MS_MIN = 5_000;
/** Browsers run a timer that is longer than 24 days at once. */
const RENEW_MS_MAX = 24 * 3_600_000;
const RETRY = { baseMs: 500, capMs: 15_000 };

/** Close codes of ours (see the protocol); everything from 4500 to 4999 means "do not come back". */
const BAD_TOKEN = 4500;
const SIGNED_OUT = 4501;
const ABNORMAL = 1006;

interface Waiting {
  settle(answer: Ok | FrameOf<"pong"> | Error): void;
  readonly cancel: Cancel;
}

export class Connection {
  readonly state = new Store<LinkState>({ name: "stopped" });
  private readonly backoff: Backoff;
  private readonly waiting = new Map<number, Waiting>();
  private socket: Socket | null = null;
  /** By purpose, so that setting one again replaces it. */
  private readonly timers = new Map<string, Cancel>();
  private heartbeatMs = 0;
  private lastReceivedAt = 0;
  private lastSentAt = 0;
  private nextId = 1;
  /** What the engine said to the latest hello when it did not take it. */
  private refusal: { readonly message: string; readonly retryAfterMs: number } | null = null;
  /** The one that the session lives by. */
  private token: string | undefined;
  /** Grows with every attempt, so that whatever an older one still has under way is recognised and dropped. */
  private generation = 0;
  /** The token that the engine refused; refused again after a refresh, there is no point in going on. */
  private rejectedToken: string | undefined;

  constructor(private readonly deps: ConnectionDeps) {
    this.backoff = new Backoff(deps.clock, RETRY);
  }

  start(): void {
    const { name } = this.state.get();
    if (name === "stopped" || name === "refused") void this.connect();
  }

  stop(): void {
    this.drop({ name: "stopped" });
  }

  /** Someone, or the network, says that now is a good time. */
  reconnectNow(): void {
    const { name } = this.state.get();
    if (name === "waiting") void this.connect();
    if (name === "online") this.probe();
  }

  get isOnline(): boolean {
    return this.state.get().name === "online";
  }

  /** Sends a command and gives its answer; fails with `CommandError` or, when the outcome is unknown, `LinkLost`. */
  async request<C extends Command>(command: C): Promise<AnswerTo<C>> {
    return (await this.ask(command)) as AnswerTo<C>;
  }

  private ask(command: Command): Promise<Ok | FrameOf<"pong">> {
    return new Promise((resolve, reject) => {
      if (!this.isOnline) {
        reject(new LinkLost());
        return;
      }
      const id = this.nextId++;
      const settle = (answer: Ok | FrameOf<"pong"> | Error) => {
        this.waiting.get(id)?.cancel();
        this.waiting.delete(id);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      const cancel = this.deps.clock.after(ANSWER_MS_MAX, () => settle(new LinkLost()));
      this.waiting.set(id, { settle, cancel });
      this.send({ ...command, id });
    });
  }

  private async connect(): Promise<void> {
    this.release();
    const generation = ++this.generation;
    this.refusal = null;
    this.state.set({ name: "connecting", attempt: this.backoff.attempt });
    let token: string;
    try {
      token = await this.deps.accessToken(this.rejectedToken);
    } catch (error) {
      if (generation !== this.generation) return;
      if (error instanceof SignedOut) this.signOut();
      else this.retryLater();
      return;
    }
    if (generation !== this.generation) return;
    this.openSocket(token);
  }

  private openSocket(token: string): void {
    const socket = this.deps.open();
    this.socket = socket;
    this.token = token;
    this.timer("open", OPEN_MS_MAX, () => this.lost(ABNORMAL, "no answer"));
    const helloId = this.nextId++;
    socket.onopen = () => {
      this.send({ type: "hello", id: helloId, token, device: this.deps.device, ...this.deps.resume() });
    };
    socket.onmessage = (text) => this.receive(text, helloId);
    socket.onclose = (code, reason) => {
      if (code === BAD_TOKEN) this.tokenRejected();
      else this.lost(code, reason);
    };
  }

  private receive(text: string, helloId: number): void {
    this.lastReceivedAt = this.deps.clock.now();
    const frame = parseFrame(text);
    if (frame === null) return;
    switch (frame.type) {
      case "ready":
        this.becomeReady(frame);
        break;
      case "ok":
      case "pong":
        if (frame.re !== undefined) this.waiting.get(frame.re)?.settle(frame);
        break;
      case "error":
        this.refuse(frame, helloId);
        break;
      case "heartbeat":
        break;
      default:
        this.deps.onFrame(frame);
    }
    // Browsers slow the timers of hidden tabs to one a minute, but not the delivery of frames: answering the server's
    // own heartbeats keeps a hidden tab connected.
    if (this.isOnline && this.deps.clock.now() - this.lastSentAt >= this.heartbeatMs) this.ping();
  }

  private refuse(frame: FrameOf<"error">, helloId: number): void {
    if (frame.re === helloId) {
      // The engine says why before it closes; its close code decides. Only when it leaves the socket open is it up
      // to us to try later.
      const error = new CommandError(frame.code, frame.message, frame.retry);
      this.refusal = { message: describe(error), retryAfterMs: frame.retry_after_ms ?? 0 };
      if (frame.retry !== "never") this.lost(ABNORMAL, frame.code);
      return;
    }
    if (frame.re == null) return;
    const error = new CommandError(frame.code, frame.message, frame.retry, frame.retry_after_ms ?? null);
    this.waiting.get(frame.re)?.settle(error);
  }

  private becomeReady(ready: Ready): void {
    this.cancelTimers();
    this.rejectedToken = undefined;
    this.heartbeatMs = ready.heartbeat_ms;
    this.timer("stable", STABLE_MS, () => this.backoff.reset());
    this.pingRegularly();
    this.watchSilence(2 * this.heartbeatMs);
    this.renewBefore(ready.expires_at);
    // The rooms first learn what the engine has, then everyone else may use the link.
    this.deps.onReady(ready);
    this.state.set({ name: "online" });
  }

  /** Its own clock is what a machine can wait by; the engine's word serves for tokens that are not from here. */
  private renewBefore(expiresAt: string): void {
    const known = this.token === undefined ? null : this.deps.expiresAt(this.token);
    const leftMs = (known ?? Date.parse(expiresAt)) - this.deps.clock.now();
    // A broken time is no reason to ask without pause, or never again.
    const waitMs = Number.isNaN(leftMs) ? RENEW_MS_MAX : leftMs - Math.min(RENEW_EARLY_MS, leftMs / 4);
    this.renewIn(Math.min(Math.max(waitMs, RENEW_MS_MIN), RENEW_MS_MAX));
  }

  private renewIn(ms: number): void {
    this.timer("renew", ms, () => void this.renew());
  }

  private async renew(): Promise<void> {
    const { generation } = this;
    try {
      // Another one than ours, from another tab or from the engine.
      const token = await this.deps.accessToken(this.token);
      if (generation !== this.generation) return;
      const { expires_at: expiresAt } = await this.request({ type: "auth.renew", token });
      this.token = token;
      this.renewBefore(expiresAt);
    } catch (error) {
      if (generation === this.generation) this.renewFailed(error);
    }
  }

  private renewFailed(error: unknown): void {
    if (error instanceof SignedOut) this.signOut();
    // Refused for good: the session keeps its minute, then closes with 4500, and we come back with a fresh token.
    else if (error instanceof CommandError && error.retry === "never") return;
    else this.renewIn(error instanceof CommandError ? (error.retryAfterMs ?? RENEW_MS_MIN) : RENEW_MS_MIN);
  }

  private pingRegularly(): void {
    this.timer("ping", this.heartbeatMs, () => {
      this.ping();
      this.pingRegularly();
    });
  }

  private watchSilence(waitMs: number): void {
    this.timer("silence", waitMs, () => {
      const silentMs = this.deps.clock.now() - this.lastReceivedAt;
      if (silentMs >= 2 * this.heartbeatMs) this.lost(ABNORMAL, "silent");
      else this.watchSilence(2 * this.heartbeatMs - silentMs);
    });
  }

  private ping(): void {
    // Nobody waits for this pong: the silence watch sees that it did not come.
    this.ask({ type: "ping" }).catch(() => undefined);
  }

  private probe(): void {
    const askedAt = this.deps.clock.now();
    this.ping();
    this.timer("probe", PROBE_MS_MAX, () => {
      if (this.lastReceivedAt < askedAt) this.lost(ABNORMAL, "silent");
    });
  }

  private send(frame: ClientFrame): void {
    this.lastSentAt = this.deps.clock.now();
    this.socket?.send(JSON.stringify(frame));
  }

  /** Refused, or expired under a session that could not be renewed: with a fresh one at once. */
  private tokenRejected(): void {
    if (this.rejectedToken !== undefined) {
      this.signOut();
      return;
    }
    this.rejectedToken = this.token;
    this.leave();
    void this.connect();
  }

  private lost(code: number, reason: string): void {
    if (code === SIGNED_OUT) {
      this.signOut();
    } else if (code >= 4500 && code <= 4999) {
      this.drop({ name: "refused", code, reason });
    } else {
      this.retryLater();
    }
  }

  private retryLater(): void {
    const delayMs = Math.max(this.backoff.nextMs(), this.refusal?.retryAfterMs ?? 0);
    const retryAt = this.deps.clock.now() + delayMs;
    this.drop({ name: "waiting", attempt: this.backoff.attempt, retryAt, reason: this.refusal?.message ?? null });
    this.timer("retry", delayMs, () => void this.connect());
  }

  private signOut(): void {
    this.drop({ name: "signed_out" });
    this.deps.onSignedOut();
  }

  private drop(next: LinkState): void {
    this.generation += 1;
    this.leave();
    this.state.set(next);
  }

  /** Lets go of the socket without waiting for its closing handshake: over a dead link that takes minutes. */
  private leave(): void {
    this.release();
    const wasOnline = this.isOnline;
    // First the state, so that whoever is woken by a failed command does not send the next one into the void.
    if (wasOnline) this.state.set({ name: "connecting", attempt: this.backoff.attempt });
    for (const command of [...this.waiting.values()]) command.settle(new LinkLost());
    if (wasOnline) this.deps.onLost();
  }

  private release(): void {
    this.cancelTimers();
    const { socket } = this;
    this.socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private cancelTimers(): void {
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
  }

  private timer(purpose: string, ms: number, run: () => void): void {
    this.timers.get(purpose)?.();
    this.timers.set(purpose, this.deps.clock.after(ms, run));
  }
}
