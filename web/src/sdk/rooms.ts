/** All rooms of the signed-in person: which there are, in what order, and which frame belongs to which. */
import { ProblemError } from "./errors";
import { asDurable } from "./events";
import { madeAt } from "./ids";
import { Room, type RoomDeps } from "./room";
import { Store } from "./store";
import type { Ready, RoomInfo, ServerFrame } from "./types";

export interface RoomsState {
  /** False until the engine has told us for the first time. */
  readonly known: boolean;
  /** Last activity first. */
  readonly list: readonly RoomInfo[];
}

/** Rooms that one hello resumes; the engine takes 2000 and refuses more. */
const RESUMED_ROOMS_MAX = 1_000;

export type RoomsDeps = Omit<RoomDeps, "onGone"> & { fetchRoom(id: string): Promise<RoomInfo> };

export class Rooms {
  readonly state = new Store<RoomsState>({ known: false, list: [] });
  private readonly rooms = new Map<string, Room>();
  /** What the latest hello asked for. */
  private resumed: ReadonlySet<string> = new Set();
  private readonly unsubscribe = new Map<string, () => void>();
  /** Many rooms change at once: the list is told when all have. */
  private gathering = false;

  constructor(private readonly deps: RoomsDeps) {}

  get(id: string): Room | undefined {
    return this.rooms.get(id);
  }

  /** What `hello` asks to resume from: the rooms on the screen, and those with the latest activity. */
  resume(): Record<string, number> {
    const byActivity = this.state.get().list.map((info) => this.rooms.get(info.id));
    const rooms = byActivity.filter((room) => room !== undefined);
    rooms.sort((a, b) => Number(b.isViewed) - Number(a.isViewed));
    this.resumed = new Set(rooms.slice(0, RESUMED_ROOMS_MAX).map((room) => room.id));
    return Object.fromEntries(rooms.slice(0, RESUMED_ROOMS_MAX).map((room) => [room.id, room.lastSeq]));
  }

  onReady(ready: Ready): void {
    const listed = new Set(ready.rooms.map((info) => info.id));
    this.gathering = true;
    try {
      for (const info of ready.rooms) this.take(info);
    } finally {
      this.gathering = false;
    }
    for (const id of this.rooms.keys()) {
      if (!listed.has(id)) void this.check(id);
    }
    this.publish(true);
  }

  private take(info: RoomInfo): void {
    const room = this.rooms.get(info.id);
    if (room !== undefined && this.startsAnew(room, info)) this.remove(info.id);
    const current = this.rooms.get(info.id);
    if (current === undefined) this.insert(info);
    else current.refresh(info);
  }

  /** A room from an HTTP answer. One that we follow already is not touched: its events keep it up to date. */
  add(info: RoomInfo): Room {
    const room = this.rooms.get(info.id) ?? this.insert(info);
    this.publish();
    return room;
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
      // An event of a room that we do not know belongs to one that `room.joined` is about to announce, or that we left.
      this.rooms.get(durable.room_id)?.receive(durable);
      return;
    }
    switch (frame.type) {
      case "room.joined":
        this.add(frame.room);
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
    for (const room of this.rooms.values()) room.linkLost();
  }

  /**
   * A room that moved on without being resumed is followed from its end again, like one that we have just met. A room
   * cannot go back, unless it is another engine's or an older copy of the database.
   */
  private startsAnew(room: Room, info: RoomInfo): boolean {
    return info.last_seq < room.lastSeq || (info.last_seq > room.lastSeq && !this.resumed.has(room.id));
  }

  /** `ready` did not list it. Only the engine's own "no" says that it is gone; a long list may have been cut. */
  private async check(id: string): Promise<void> {
    try {
      const info = await this.deps.fetchRoom(id);
      this.rooms.get(id)?.refresh(info);
    } catch (error) {
      if (error instanceof ProblemError && (error.status === 403 || error.status === 404)) this.remove(id);
    }
  }

  private insert(info: RoomInfo): Room {
    const room = new Room({ ...this.deps, onGone: (id) => this.remove(id) }, info);
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

  private publish(known = this.state.get().known): void {
    if (this.gathering) return;
    const infos = [...this.rooms.values()].map(({ info }) => ({ info, at: activeAt(info) }));
    const list = infos.sort((a, b) => b.at - a.at).map(({ info }) => info);
    this.state.set({ known, list });
  }
}

/** A room without messages counts from when it was made. */
function activeAt(info: RoomInfo): number {
  return info.last_message_at == null ? madeAt(info.id) : Date.parse(info.last_message_at);
}
