/**
 * All rooms of the signed-in person: which there are, in what order, and which frame belongs to which.
 *
 * `ready` lists those with the newest activity; of the others we hear all the same. So the list may be incomplete: more
 * of it comes by page, and a room that is not in it appears when something happens there, or when somebody opens it.
 */
import type { Api } from "./api";
import type { Resumption } from "./connection";
import { ProblemError } from "./errors";
import { asDurable, type DurableEvent } from "./events";
import { madeAt } from "./ids";
import { Room, type RoomDeps } from "./room";
import { Store } from "./store";
import type { Ready, RoomInfo, ServerFrame } from "./types";

export interface RoomsState {
  /** False until the engine has told us for the first time. */
  readonly known: boolean;
  /** Last activity first. */
  readonly list: readonly RoomInfo[];
  /** Whether there are rooms that the list does not have, and what is being done about it. */
  readonly more: "none" | "idle" | "loading" | "failed";
}

/** Rooms that one hello resumes; the engine takes 2000. */
const RESUMED_ROOMS_MAX = 1_000;
/** Pages that one wish for more may read: the first ones have what `ready` listed already. */
const PAGES_MAX = 30;
/** Events of one room that are kept while we ask what room that is. Beyond it they are caught up, not lost. */
const EARLY_EVENTS_MAX = 200;
/** Rooms that we ask for at once. */
const ASKED_ROOMS_MAX = 50;

export type RoomsDeps = Omit<RoomDeps, "onGone" | "onStale"> & {
  readonly api: Pick<Api, "members" | "room" | "roomsPage">;
  /** Another life of the log: what was known of the old one's numbers is to be dropped. */
  onAnotherEpoch(): void;
};

export class Rooms {
  readonly state = new Store<RoomsState>({ known: false, list: [], more: "none" });
  private readonly rooms = new Map<string, Room>();
  /** What the latest hello asked for. */
  private resumed: ReadonlySet<string> = new Set();
  private readonly unsubscribe = new Map<string, () => void>();
  /** Many rooms change at once: the list is told when all have. */
  private gathering = false;
  /** Which life of the log `rooms` are of. */
  private epoch: string | undefined;
  private more: RoomsState["more"] = "none";
  /** Where the list goes on; it begins anew with every `ready`. */
  private cursor: string | undefined;
  private round = 0;
  /** Rooms that we ask for, with what happened there meanwhile. */
  private readonly asked = new Map<string, [DurableEvent, ...DurableEvent[]]>();

  constructor(private readonly deps: RoomsDeps) {}

  get(id: string): Room | undefined {
    return this.rooms.get(id);
  }

  /** What `hello` asks to resume from: the rooms on the screen, and those with the latest activity. */
  resume(): Resumption {
    const byActivity = this.state.get().list.map((info) => this.rooms.get(info.id));
    const rooms = byActivity.filter((room) => room !== undefined);
    rooms.sort((a, b) => Number(b.isViewed) - Number(a.isViewed));
    this.resumed = new Set(rooms.slice(0, RESUMED_ROOMS_MAX).map((room) => room.id));
    const resume = Object.fromEntries(rooms.slice(0, RESUMED_ROOMS_MAX).map((room) => [room.id, room.lastSeq]));
    return { resume, ...(this.epoch === undefined ? {} : { epoch: this.epoch }) };
  }

  onReady(ready: Ready): void {
    this.round += 1;
    this.cursor = undefined;
    this.more = ready.rooms_truncated === true ? "idle" : "none";
    const refused = new Set(ready.resume_refused?.map((room) => room.room_id));
    this.gather(() => {
      this.enter(ready.epoch);
      for (const info of ready.rooms) this.take(info, refused.has(info.id));
    });
    const listed = new Set(ready.rooms.map((info) => info.id));
    for (const [id, room] of [...this.rooms]) {
      if (!listed.has(id)) this.unlisted(room, refused.has(id));
    }
    this.publish(true);
  }

  /** A room from an HTTP answer. One that we follow already is not touched: its events keep it up to date. */
  add(info: RoomInfo): Room {
    const room = this.rooms.get(info.id) ?? this.insert(info);
    this.publish();
    return room;
  }

  /** The next rooms of a list that is not complete. */
  async loadMore(): Promise<void> {
    if (this.more === "none" || this.more === "loading") return;
    const { round } = this;
    this.setMore("loading");
    try {
      for (let page = 0; page < PAGES_MAX; page += 1) {
        const answer = await this.deps.api.roomsPage(this.cursor);
        if (round !== this.round) return;
        this.cursor = answer.next ?? undefined;
        const fresh = answer.items.filter((info) => !this.rooms.has(info.id));
        this.gather(() => fresh.forEach((info) => this.insert(info)));
        if (fresh.length > 0 || answer.next == null) break;
      }
      this.setMore(this.cursor === undefined ? "none" : "idle");
    } catch {
      if (round === this.round) this.setMore("failed");
    }
  }

  /** A room by its id, whether the list has it or not; undefined when it is none of ours. */
  async find(id: string): Promise<Room | undefined> {
    const known = this.rooms.get(id);
    if (known !== undefined) return known;
    const info = await this.fetch(id);
    return info === null ? undefined : this.add(info);
  }

  remove(id: string): void {
    this.unsubscribe.get(id)?.();
    this.unsubscribe.delete(id);
    this.rooms.get(id)?.linkLost();
    this.rooms.delete(id);
    this.publish();
  }

  onFrame(frame: ServerFrame): void {
    const durable = asDurable(frame);
    if (durable !== null) {
      const room = this.rooms.get(durable.room_id);
      if (room === undefined) this.discover(durable);
      else room.receive(durable);
      return;
    }
    switch (frame.type) {
      case "room.joined":
        this.add(frame.room);
        // The engine leaves out the other person where we were asked in.
        if (frame.room.kind === "direct" && frame.room.peer == null) void this.askForPeer(frame.room.id);
        break;
      case "room.lagged":
        this.rooms.get(frame.room_id)?.lagged(frame.last_seq);
        break;
      case "receipt.updated":
        this.rooms.get(frame.room_id)?.receiptUpdated(frame);
        break;
    }
  }

  onLost(): void {
    this.asked.clear();
    for (const room of this.rooms.values()) room.linkLost();
  }

  /** Another life of the log has other events under the same numbers: nothing of the old one may stay. */
  private enter(epoch: string | undefined): void {
    const another = this.epoch !== undefined && epoch !== undefined && epoch !== this.epoch;
    this.epoch = epoch ?? this.epoch;
    if (!another) return;
    for (const id of [...this.rooms.keys()]) this.remove(id);
    this.deps.onAnotherEpoch();
  }

  private take(info: RoomInfo, refused: boolean): void {
    const room = this.rooms.get(info.id);
    if (room !== undefined && (refused || this.startsAnew(room, info))) this.restart(info);
    else if (room === undefined) this.insert(info);
    else room.refresh(info);
  }

  private restart(info: RoomInfo): void {
    this.remove(info.id);
    this.deps.receipts.forget(info.id);
    this.insert(info);
    this.publish();
  }

  /** `ready` did not list a room that we have. */
  private unlisted(room: Room, refused: boolean): void {
    if (refused) void this.reread(room.id);
    else if (this.more === "none") void this.check(room.id);
    // It follows by its events when it was resumed; otherwise it comes again with its page.
    else if (!this.resumed.has(room.id)) this.remove(room.id);
  }

  /**
   * A room that moved on without being resumed is followed from its end again, like one that we have just met. A room
   * cannot go back, unless it is another engine's or an older copy of the database.
   */
  private startsAnew(room: Room, info: RoomInfo): boolean {
    return info.last_seq < room.lastSeq || (info.last_seq > room.lastSeq && !this.resumed.has(room.id));
  }

  /** Only the engine's own "no" says that a room is gone. */
  private async check(id: string): Promise<void> {
    const info = await this.fetch(id).catch(() => undefined);
    const room = this.rooms.get(id);
    if (info === null) this.remove(id);
    // Events that came meanwhile are newer than an answer that does not know of them.
    else if (info !== undefined && room !== undefined && info.last_seq >= room.lastSeq) room.refresh(info);
  }

  private async askForPeer(id: string): Promise<void> {
    const info = await this.fetch(id).catch(() => null);
    if (info?.peer != null) this.rooms.get(id)?.setPeer(info.peer);
  }

  /** What we have of this room is worth nothing. */
  private async reread(id: string): Promise<void> {
    const info = await this.fetch(id).catch(() => undefined);
    if (info === null) this.remove(id);
    else if (info !== undefined && this.rooms.has(id)) this.restart(info);
  }

  /** Null when it is not there, or we are not in it: a channel of our spaces shows itself to whoever could join. */
  private async fetch(id: string): Promise<RoomInfo | null> {
    try {
      const info = await this.deps.api.room(id);
      return info.kind === "channel" && info.role == null ? null : info;
    } catch (error) {
      // What is no id of a room is refused as such.
      if (error instanceof ProblemError && [400, 403, 404, 422].includes(error.status)) return null;
      throw error;
    }
  }

  /**
   * An event of a room that we do not have. With a complete list it belongs to one that `room.joined` is about to
   * announce, or that we left; else to one that was not listed, which appears now.
   */
  private discover(event: DurableEvent): void {
    if (this.more === "none") return;
    const early = this.asked.get(event.room_id);
    if (early !== undefined) {
      if (early.length < EARLY_EVENTS_MAX) early.push(event);
    } else if (this.asked.size < ASKED_ROOMS_MAX) {
      const events: [DurableEvent, ...DurableEvent[]] = [event];
      this.asked.set(event.room_id, events);
      void this.meet(event.room_id, events);
    }
  }

  private async meet(id: string, early: readonly [DurableEvent, ...DurableEvent[]]): Promise<void> {
    const info = await this.fetch(id).catch(() => null);
    // Under another link, or asked for anew.
    if (this.asked.get(id) !== early) return;
    this.asked.delete(id);
    if (info === null) return;
    const room = this.rooms.get(id) ?? this.insert(info, Math.min(info.last_seq, early[0].seq - 1));
    for (const event of early) room.receive(event);
    room.lagged(info.last_seq);
    this.publish();
  }

  /** Followed from after the event `after`, which the summary may be ahead of. */
  private insert(info: RoomInfo, after = info.last_seq): Room {
    const deps = { ...this.deps, onGone: (id: string) => this.remove(id), onStale: (id: string) => void this.reread(id) };
    const room = new Room(deps, info, after);
    this.rooms.set(info.id, room);
    let last = room.info;
    const unsubscribe = room.state.subscribe(() => {
      if (room.info === last) return;
      last = room.info;
      this.publish();
    });
    this.unsubscribe.set(info.id, unsubscribe);
    return room;
  }

  private gather(change: () => void): void {
    this.gathering = true;
    try {
      change();
    } finally {
      this.gathering = false;
    }
  }

  private setMore(more: RoomsState["more"]): void {
    this.more = more;
    this.publish();
  }

  private publish(known = this.state.get().known): void {
    if (this.gathering) return;
    const infos = [...this.rooms.values()].map(({ info }) => ({ info, at: activeAt(info) }));
    const list = infos.sort((a, b) => b.at - a.at).map(({ info }) => info);
    this.state.set({ known, list, more: this.more });
  }
}

/** A room without messages counts from when it was made. */
function activeAt(info: RoomInfo): number {
  return info.last_message_at == null ? madeAt(info.id) : Date.parse(info.last_message_at);
}
