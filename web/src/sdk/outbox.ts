/**
 * Sends what a person wrote, edited and deleted: exactly once as the engine sees it, in order per room, across lost links, reloads and tabs.
 *
 * Invariants: a message is stored before it is sent (`storage.ts` says what of a browser that refuses) and forgotten
 * only after the engine acknowledged it; one message per room is under way at a time, and the next one waits for its
 * answer, whichever tab sends; `client_id` never changes. A lock per room keeps tabs from sending the same thing side
 * by side; even if they did, the engine would take only the first.
 */
import { Backoff } from "./backoff";
import type { Clock } from "./clock";
import { CommandError, describe } from "./errors";
import { newId } from "./ids";
import { isPost, OutboxStore, type ChangeItem, type OutboxItem, type PostItem } from "./outbox-store";
import type { KeyValueStore, Locks } from "./storage";
import { Store } from "./store";
import type { Message } from "./types";

interface Progress {
  /** `sent`: acknowledged, and about to appear in the room's log. */
  readonly state: "waiting" | "sending" | "sent" | "failed";
  /** The engine asked to wait: why, and until when. */
  readonly delay?: Delay;
}

export type OutboxEntry = PostItem & Progress;
export type ChangeEntry = ChangeItem & Progress;

interface Delay {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

export interface OutboxDeps {
  readonly userId: string;
  readonly storage: KeyValueStore;
  readonly locks: Locks;
  readonly clock: Clock;
  /** Gives the `seq` of its event, 0 when the message was so already; fails with `CommandError`, or with anything else when the outcome is unknown. */
  send(item: OutboxItem): Promise<number>;
  /** How far the log of a room reaches here. */
  lastSeq(roomId: string): number;
}

/** Between tries when the engine is busy and does not say for how long. */
const RETRY = { baseMs: 1_000, capMs: 15_000 };

export class Outbox {
  /** Messages. */
  readonly entries = new Store<readonly OutboxEntry[]>([]);
  /** Edits and deletions. */
  readonly changes = new Store<readonly ChangeEntry[]>([]);
  private readonly stored: OutboxStore;
  private readonly pumping = new Set<string>();
  private readonly sending = new Set<string>();
  /** Acknowledged, and not in the log yet, so that nothing vanishes for a moment. */
  private readonly sent = new Map<string, { readonly item: OutboxItem; readonly seq: number }>();
  private readonly delays = new Map<string, Delay>();
  private readonly sleepers = new Set<() => void>();
  private readonly unsubscribe: () => void;
  private linkUp = false;

  constructor(private readonly deps: OutboxDeps) {
    this.stored = new OutboxStore(deps.storage, deps.userId);
    this.unsubscribe = this.stored.onChange(() => {
      this.publish();
      this.pumpAll();
    });
    this.publish();
  }

  /** Stores a message and sends it when it can. Throws when neither the browser nor this page's memory takes it. */
  post(roomId: string, content: string): void {
    this.put({ clientId: newId(), roomId, content, order: this.nextOrder() });
  }

  /** The message says this from now on. Throws as `post` does. */
  edit({ room_id: roomId, id: messageId, parts }: Message, content: string): void {
    this.change({ roomId, messageId, becomes: { content, ...(parts == null ? {} : { parts }) } });
  }

  /** The message is not to be read any more. Throws as `post` does. */
  delete({ room_id: roomId, id: messageId }: Message): void {
    this.change({ roomId, messageId, becomes: null });
  }

  /** Sends what failed once more, after whatever waits already. */
  retry(clientId: string): void {
    const item = this.stored.get(clientId);
    if (item === null) return;
    const again = { clientId, roomId: item.roomId, order: this.nextOrder() };
    this.put(isPost(item) ? { ...again, content: item.content } : { ...again, messageId: item.messageId, becomes: item.becomes });
  }

  discard(clientId: string): void {
    this.stored.remove(clientId);
    this.publish();
  }

  /** For signing out on purpose: nothing of this person stays behind. */
  clear(): void {
    for (const item of this.stored.all()) this.stored.remove(item.clientId);
    this.publish();
  }

  get isEmpty(): boolean {
    return this.entries.get().length === 0 && this.changes.get().length === 0;
  }

  setLink(up: boolean): void {
    this.linkUp = up;
    if (up) {
      this.pumpAll();
      return;
    }
    // Whoever waits for a better moment gives up the room's lock: another tab's link may be fine.
    for (const wake of [...this.sleepers]) wake();
  }

  /** The room's log now reaches `lastSeq` and has just shown these messages of ours. */
  seen(roomId: string, clientIds: readonly string[], lastSeq: number): void {
    for (const clientId of clientIds) {
      this.sent.delete(clientId);
      if (this.stored.get(clientId) !== null) this.stored.remove(clientId);
    }
    for (const [clientId, { item, seq }] of this.sent) {
      if (item.roomId === roomId && seq <= lastSeq) this.sent.delete(clientId);
    }
    this.publish();
  }

  /** Another life of the log: what the old one acknowledged may never appear. What was not sent stays. */
  forgetSent(): void {
    this.sent.clear();
    this.publish();
  }

  stop(): void {
    this.setLink(false);
    this.unsubscribe();
  }

  /** In place of an earlier change of the message that failed: two notes of failure under one message say less than one. */
  private change(change: Pick<ChangeItem, "roomId" | "messageId" | "becomes">): void {
    this.put({ ...change, clientId: newId(), order: this.nextOrder() });
    for (const entry of this.changes.get()) {
      if (entry.messageId === change.messageId && entry.state === "failed") this.discard(entry.clientId);
    }
  }

  private put(item: OutboxItem): void {
    this.stored.put(item);
    this.publish();
    void this.pump(item.roomId);
  }

  private pumpAll(): void {
    for (const roomId of new Set(this.stored.all().map((item) => item.roomId))) void this.pump(roomId);
  }

  private async pump(roomId: string): Promise<void> {
    if (!this.linkUp || this.pumping.has(roomId)) return;
    this.pumping.add(roomId);
    try {
      await this.deps.locks.run(`parlance.outbox.${this.deps.userId}.${roomId}`, () => this.drain(roomId));
    } finally {
      this.pumping.delete(roomId);
    }
    // Something was written between the last look and the end.
    if (this.stored.head(roomId) !== undefined) void this.pump(roomId);
  }

  private async drain(roomId: string): Promise<void> {
    const backoff = new Backoff(this.deps.clock, RETRY);
    while (this.linkUp) {
      // Read again every time: another tab may have sent or discarded it while we waited.
      const item = this.stored.head(roomId);
      if (item === undefined) return;
      if (await this.attempt(item, backoff)) backoff.reset();
    }
  }

  /** Tries once. False when the same message has to be tried again; it has then waited already. */
  private async attempt(item: OutboxItem, backoff: Backoff): Promise<boolean> {
    this.sending.add(item.clientId);
    this.delays.delete(item.clientId);
    this.publish();
    try {
      const seq = await this.deps.send(item);
      if (seq > this.deps.lastSeq(item.roomId)) this.sent.set(item.clientId, { item, seq });
      this.stored.remove(item.clientId);
      return true;
    } catch (error) {
      if (error instanceof CommandError && error.retry === "never") {
        if (this.markFailed(item, error.message)) return true;
      }
      const delayMs = this.delayMs(error, backoff);
      this.sending.delete(item.clientId);
      if (error instanceof CommandError && this.linkUp) {
        this.delays.set(item.clientId, { reason: describe(error), until: this.deps.clock.now() + delayMs });
      }
      this.publish();
      await this.sleep(delayMs);
      this.delays.delete(item.clientId);
      return false;
    } finally {
      this.sending.delete(item.clientId);
      this.publish();
    }
  }

  /** False when nothing takes the mark: then the message is tried again, later and later. */
  private markFailed(item: OutboxItem, failure: string): boolean {
    // Unless it was discarded meanwhile.
    if (this.stored.get(item.clientId) === null) return true;
    try {
      this.stored.put({ ...item, failure });
      return true;
    } catch {
      return false;
    }
  }

  /** What the engine asks for, plus up to half of it, so that many clients do not return together. */
  private delayMs(error: unknown, backoff: Backoff): number {
    const ownMs = backoff.nextMs();
    if (!(error instanceof CommandError) || error.retryAfterMs === null) return ownMs;
    return error.retryAfterMs * (1 + this.deps.clock.random() / 2);
  }

  private sleep(ms: number): Promise<void> {
    if (!this.linkUp) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.sleepers.delete(wake);
        resolve();
      };
      const cancel = this.deps.clock.after(ms, wake);
      this.sleepers.add(wake);
    });
  }

  /** Later than everything stored, even when the machine's clock went back. */
  private nextOrder(): number {
    const newest = this.stored.all().at(-1)?.order ?? 0;
    return Math.max(this.deps.clock.now(), newest + 1);
  }

  private publish(): void {
    const waiting = this.stored.all().map((item) => ({ ...item, ...this.progressOf(item) }));
    const stored = new Set(waiting.map((entry) => entry.clientId));
    const sent = [...this.sent.values()]
      .filter(({ item }) => !stored.has(item.clientId))
      .map(({ item }) => ({ ...item, state: "sent" as const }));
    const all: readonly (OutboxEntry | ChangeEntry)[] = [...sent, ...waiting];
    this.entries.set(all.filter((entry) => isPost(entry)));
    const changes = all.filter((entry): entry is ChangeEntry => !isPost(entry));
    // Most of the time there are none, and the messages need not be drawn again.
    if (changes.length > 0 || this.changes.get().length > 0) this.changes.set(changes);
  }

  private progressOf(item: OutboxItem): Progress {
    if (item.failure !== undefined) return { state: "failed" };
    const delay = this.delays.get(item.clientId);
    const state = this.sending.has(item.clientId) ? "sending" : "waiting";
    return { state, ...(delay === undefined ? {} : { delay }) };
  }
}
