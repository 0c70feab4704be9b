/**
 * One room: its log, its summary and its members, kept in step with the engine.
 *
 * Takes durable events from `Rooms`, fetches what is missing or older, and publishes one immutable state.
 */
import type { Api } from "./api";
import type { Cancel, Clock } from "./clock";
import { CommandError, LinkLost } from "./errors";
import { asDurable, isOwn, peopleOf, type DurableEvent } from "./events";
import type { Link, Receipts } from "./receipts";
import { applyRead, applyToInfo } from "./room-info";
import { RoomLog, type Applied, type LogPage } from "./room-log";
import { Store } from "./store";
import type { CaughtUp, FrameOf, Member, RoomInfo, User } from "./types";
import type { People } from "./people";

export interface RoomState {
  readonly info: RoomInfo;
  readonly entries: readonly DurableEvent[];
  readonly hasOlder: boolean;
  readonly older: "idle" | "loading" | "failed";
  /** Null until somebody asked for them. */
  readonly members: readonly Member[] | null;
}

export interface RoomDeps {
  readonly me: string;
  readonly link: Link;
  readonly clock: Clock;
  readonly api: Pick<Api, "members">;
  readonly people: People;
  readonly receipts: Receipts;
  /** New events are in the log: the outbox looks for its own messages among them. */
  onApplied(roomId: string, events: readonly DurableEvent[]): void;
  /** The engine no longer lets us read this room, or says that we left. */
  onGone(roomId: string): void;
  /** What we have of the room is of another life of the log: it has to be read anew. */
  onStale(roomId: string): void;
}

/** The engine's word for a `seq` that the room has not reached. */
const AHEAD = "chat.ahead";
/** Tells one time that a room is read from another. */
let made = 0;

const OLDER_EVENTS = 50;
const CATCH_UP_EVENTS = 200;
/** Events of a room that nobody looks at, kept so that opening it again is instant. */
const IDLE_EVENTS_MAX = 200;
const RETRY_MS = 1_000;

export class Room {
  readonly state: Store<RoomState>;
  /** Another one when the room is read anew. */
  readonly key = `room-${++made}`;
  private readonly log: RoomLog;
  /** The summary already counts everything up to here. */
  private countedSeq: number;
  private catchingUp = false;
  private membersStale = false;
  private loadingMembers = false;
  private viewers = 0;
  private retry: Cancel | null = null;

  constructor(
    private readonly deps: RoomDeps,
    info: RoomInfo,
    after = info.last_seq,
  ) {
    this.log = new RoomLog(after);
    this.countedSeq = info.last_seq;
    this.state = new Store<RoomState>({
      info,
      entries: [],
      hasOlder: this.log.hasOlder,
      older: "idle",
      members: null,
    });
    if (info.peer != null) deps.people.learn([info.peer]);
  }

  get id(): string {
    return this.info.id;
  }

  get info(): RoomInfo {
    return this.state.get().info;
  }

  get lastSeq(): number {
    return this.log.lastSeq;
  }

  /** Whether it is on somebody's screen. */
  get isViewed(): boolean {
    return this.viewers > 0;
  }

  /** A newer summary from the engine. What came after our `lastSeq` follows as events, already counted in it. */
  refresh(info: RoomInfo): void {
    const { read_seq: readSeq } = this.info;
    this.countedSeq = info.last_seq;
    this.publish({ info: applyRead(info, readSeq, this.log.entries, this.deps.me) });
    if (this.state.get().members !== null) void this.loadMembers();
  }

  /** Who the other person of a direct room is. The rest of what we know is newer than the answer that says so. */
  setPeer(peer: User): void {
    this.deps.people.learn([peer]);
    this.publish({ info: { ...this.info, peer } });
  }

  receive(event: DurableEvent): void {
    this.take(this.log.receive(event));
  }

  lagged(lastSeq: number): void {
    this.take(this.log.lagged(lastSeq));
  }

  linkLost(): void {
    this.retry?.();
    this.retry = null;
    this.log.forgetHeld();
  }

  receiptUpdated(receipt: FrameOf<"receipt.updated">): void {
    if (receipt.user_id === this.deps.me) {
      this.publish({ info: applyRead(this.info, receipt.read_seq, this.log.entries, this.deps.me) });
    }
    const members = this.state.get().members?.map((member) =>
      member.user !== undefined && member.user?.id === receipt.user_id
        ? { ...member, delivered_seq: receipt.delivered_seq, read_seq: receipt.read_seq }
        : member,
    );
    if (members !== undefined) this.publish({ members });
  }

  /** The person has seen everything up to the end. */
  markRead(): void {
    if (this.info.read_seq >= this.log.lastSeq) return;
    this.publish({ info: applyRead(this.info, this.log.lastSeq, this.log.entries, this.deps.me) });
    this.deps.receipts.read(this.id, this.log.lastSeq);
  }

  /** Someone looks at this room, until the returned function is called. */
  view(): () => void {
    this.viewers += 1;
    if (this.state.get().members === null) void this.loadMembers();
    return () => {
      this.viewers -= 1;
      this.trimIfIdle();
    };
  }

  /** One page further back. The log has no holes, so a page of it is simply the `seq`s before the window. */
  async loadOlder(): Promise<void> {
    if (this.state.get().older === "loading" || !this.log.hasOlder || !this.deps.link.isOnline) return;
    this.publish({ older: "loading" });
    const before = this.log.firstSeq;
    const after = Math.max(0, before - 1 - OLDER_EVENTS);
    try {
      this.log.prepend(await this.eventsBetween(after, before), after, before);
      this.publish({ older: "idle" });
    } catch (error) {
      // A link that went away is shown elsewhere; the view asks again when it is back.
      this.publish({ older: error instanceof LinkLost ? "idle" : "failed" });
    }
  }

  async loadMembers(): Promise<void> {
    if (this.loadingMembers) {
      this.membersStale = true;
      return;
    }
    this.loadingMembers = true;
    try {
      do {
        this.membersStale = false;
        const members = await this.deps.api.members(this.id);
        this.deps.people.learn(members.flatMap((member) => member.user ?? []));
        this.deps.people.learnParties(members.flatMap((member) => member.profile ?? []));
        this.publish({ members });
        // Changed again while the answer was on its way.
      } while (this.membersStale as boolean);
    } catch {
      // Asked for again with the next change, or when the room is opened again.
    } finally {
      this.loadingMembers = false;
    }
  }

  private async eventsBetween(after: number, before: number): Promise<DurableEvent[]> {
    const events: DurableEvent[] = [];
    let cursor = after;
    for (;;) {
      const page = await this.fetchPage(cursor, before - 1 - cursor);
      events.push(...page.events.filter((event) => event.seq < before));
      const reached = page.events.at(-1)?.seq;
      // The engine may give less than we asked for.
      if (reached === undefined || reached >= before - 1 || !page.more) return events;
      cursor = reached;
    }
  }

  private async catchUp(): Promise<void> {
    if (this.catchingUp) return;
    this.catchingUp = true;
    try {
      while (this.log.isBehind) {
        const before = this.log.lastSeq;
        const page = await this.fetchPage(before, CATCH_UP_EVENTS);
        this.take(this.log.catchUp(page));
        if (this.log.lastSeq === before) {
          this.catchUpLater(RETRY_MS);
          return;
        }
      }
    } catch (error) {
      this.catchUpFailed(error);
    } finally {
      this.catchingUp = false;
    }
  }

  private catchUpFailed(error: unknown): void {
    if (error instanceof CommandError && error.code === AHEAD) this.deps.onStale(this.id);
    else if (error instanceof CommandError && error.retry === "never") this.deps.onGone(this.id);
    // Without a link there is nothing to retry: the next hello resumes from where we are.
    else if (this.deps.link.isOnline) {
      this.catchUpLater(error instanceof CommandError ? (error.retryAfterMs ?? RETRY_MS) : RETRY_MS);
    }
  }

  private catchUpLater(ms: number): void {
    this.retry?.();
    this.retry = this.deps.clock.after(ms, () => void this.catchUp());
  }

  private async fetchPage(after: number, limit: number): Promise<LogPage> {
    return readPage(await this.deps.link.request({ type: "room.catch_up", room_id: this.id, after, limit }));
  }

  private take(applied: Applied): void {
    if (applied.events.length > 0) this.apply(applied.events);
    if (applied.behind) void this.catchUp();
  }

  private apply(events: readonly DurableEvent[]): void {
    const { me } = this.deps;
    let { info } = this;
    for (const event of events) {
      if (event.seq > this.countedSeq) info = applyToInfo(info, event, me);
    }
    this.countedSeq = Math.max(this.countedSeq, this.log.lastSeq);
    this.publish({ info });
    if (events.some((event) => event.type === "message.posted" && !isOwn(event.message, me))) {
      this.deps.receipts.delivered(this.id, this.log.lastSeq);
    }
    if (events.some((event) => event.type.startsWith("member.")) && this.state.get().members !== null) {
      void this.loadMembers();
    }
    this.trimIfIdle();
    this.deps.onApplied(this.id, events);
    const leaving = events.findLast((event) => event.type.startsWith("member.") && concerns(event, me));
    if (leaving?.type === "member.removed") this.deps.onGone(this.id);
  }

  private trimIfIdle(): void {
    if (this.viewers > 0) return;
    this.log.trim(IDLE_EVENTS_MAX);
    this.publish({});
  }

  private publish(changes: Partial<Pick<RoomState, "info" | "older" | "members">>): void {
    const before = this.state.get();
    const next = { ...before, ...changes, entries: this.log.entries, hasOlder: this.log.hasOlder };
    const keys = Object.keys(next) as (keyof RoomState)[];
    if (keys.some((key) => next[key] !== before[key])) this.state.set(next);
  }
}

function concerns(event: DurableEvent, userId: string): boolean {
  return (event.type === "member.added" || event.type === "member.removed") && peopleOf(event).includes(userId);
}

function readPage(page: CaughtUp): LogPage {
  const events = page.events.map(asDurable).filter((event) => event !== null);
  return { events, lastSeq: page.last_seq, more: page.more };
}
