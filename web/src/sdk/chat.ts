/** Everything that runs while somebody is signed in: one link, the rooms on it, and the outbox. */
import type { Api } from "./api";
import type { Clock } from "./clock";
import { Connection, type Socket } from "./connection";
import { isOwn, type DurableEvent } from "./events";
import { Outbox } from "./outbox";
import { Receipts } from "./receipts";
import type { Room } from "./room";
import { Rooms } from "./rooms";
import type { KeyValueStore, Locks } from "./storage";
import type { NewRoom, OwnUser, Ready } from "./types";
import { Users } from "./users";

export interface ChatDeps {
  readonly me: OwnUser;
  readonly api: Api;
  readonly clock: Clock;
  readonly storage: KeyValueStore;
  readonly locks: Locks;
  readonly device: { readonly id: string; readonly name: string };
  open(): Socket;
  accessToken(rejected?: string): Promise<string>;
  expiresAt(token: string): number | null;
  onSignedOut(): void;
}

export class Chat {
  readonly me: OwnUser;
  readonly api: Api;
  readonly connection: Connection;
  readonly rooms: Rooms;
  readonly outbox: Outbox;
  readonly users: Users;
  private readonly receipts: Receipts;

  constructor(deps: ChatDeps) {
    const { api, clock, me } = deps;
    this.me = me;
    this.api = api;
    this.users = new Users(api);
    this.users.learn([me]);
    this.connection = new Connection({
      ...deps,
      resume: () => this.rooms.resume(),
      onReady: (ready) => this.onReady(ready),
      onFrame: (frame) => this.rooms.onFrame(frame),
      onLost: () => this.onLost(),
    });
    this.receipts = new Receipts(this.connection, clock);
    this.outbox = new Outbox({
      ...deps,
      userId: me.id,
      send: async ({ roomId, clientId, content }) => {
        const ok = await this.connection.request({ type: "message.post", room_id: roomId, client_id: clientId, content });
        return ok.seq;
      },
      lastSeq: (roomId) => this.rooms.get(roomId)?.lastSeq ?? Infinity,
    });
    this.rooms = new Rooms({
      me: me.id,
      link: this.connection,
      clock,
      api,
      users: this.users,
      receipts: this.receipts,
      onAnotherEpoch: () => {
        this.receipts.forget();
        this.outbox.forgetSent();
      },
      onApplied: (roomId, events) => this.onApplied(roomId, events),
    });
    // The outbox waits for "online", which comes after the rooms have taken `ready` in.
    this.connection.state.subscribe(() => {
      if (!this.connection.isOnline) return;
      this.outbox.setLink(true);
      this.receipts.resume();
    });
  }

  start(): void {
    this.connection.start();
  }

  stop(): void {
    this.connection.stop();
    this.outbox.stop();
    this.receipts.stop();
  }

  async createRoom(room: NewRoom): Promise<Room> {
    return this.rooms.add(await this.api.createRoom(room));
  }

  /** Joins a channel of a space that we are in. */
  async joinRoom(roomId: string): Promise<Room> {
    await this.api.addMember(roomId, this.me.id);
    return this.rooms.add(await this.api.room(roomId));
  }

  async leaveRoom(roomId: string): Promise<void> {
    await this.api.removeMember(roomId, this.me.id);
    this.rooms.remove(roomId);
  }

  private onReady(ready: Ready): void {
    this.rooms.onReady(ready);
  }

  private onLost(): void {
    this.outbox.setLink(false);
    this.rooms.onLost();
  }

  private onApplied(roomId: string, events: readonly DurableEvent[]): void {
    const own: string[] = [];
    for (const event of events) {
      if (event.type !== "message.posted" || !isOwn(event.message, this.me.id)) continue;
      if (event.message.client_id != null) own.push(event.message.client_id);
    }
    const lastSeq = events.at(-1)?.seq ?? 0;
    if (own.length > 0 || this.outbox.entries.get().length > 0) this.outbox.seen(roomId, own, lastSeq);
  }
}
