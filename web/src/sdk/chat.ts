/** Everything that runs while somebody is signed in: one link, the rooms on it, and the outbox. */
import { isInvited, type Api } from "./api";
import type { Clock } from "./clock";
import { Connection, type Socket } from "./connection";
import { isOwn, type DurableEvent } from "./events";
import { Invitations } from "./invitations";
import { Outbox } from "./outbox";
import { isPost, type OutboxItem } from "./outbox-store";
import { Receipts } from "./receipts";
import type { Room } from "./room";
import { Rooms } from "./rooms";
import { Spaces } from "./spaces";
import type { KeyValueStore, Locks } from "./storage";
import type { Invitation, NewRoom, NewSpace, OwnUser, Ready, ServerFrame, Space } from "./types";
import { People } from "./people";

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
  readonly people: People;
  readonly spaces: Spaces;
  readonly invitations: Invitations;
  private readonly receipts: Receipts;

  constructor(deps: ChatDeps) {
    const { api, clock, me } = deps;
    this.me = me;
    this.api = api;
    this.people = new People(api, clock);
    this.people.learn([me]);
    this.connection = new Connection({
      ...deps,
      resume: () => this.rooms.resume(),
      onReady: (ready) => this.onReady(ready),
      onFrame: (frame) => this.onFrame(frame),
      onLost: () => this.onLost(),
    });
    this.receipts = new Receipts(this.connection, clock);
    this.outbox = new Outbox({
      ...deps,
      userId: me.id,
      send: (item) => this.send(item),
      lastSeq: (roomId) => this.rooms.get(roomId)?.lastSeq ?? Infinity,
    });
    this.rooms = new Rooms({
      me: me.id,
      link: this.connection,
      clock,
      api,
      people: this.people,
      receipts: this.receipts,
      onAnotherEpoch: () => {
        this.receipts.forget();
        this.outbox.forgetSent();
      },
      onApplied: (roomId, events) => this.onApplied(roomId, events),
    });
    this.spaces = new Spaces(api);
    this.invitations = new Invitations(api, this.people);
    this.rooms.state.subscribe(() => this.spaces.follow(this.rooms.state.get().list));
    // The outbox waits for "online", which comes after the rooms have taken `ready` in.
    this.connection.state.subscribe(() => {
      if (!this.connection.isOnline) return;
      this.outbox.setLink(true);
      this.receipts.resume();
      void this.spaces.reload();
      void this.invitations.reload();
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
    const { invited = [], ...info } = await this.api.createRoom(room);
    this.invitations.noteAsked(info.id, invited);
    return this.rooms.add(info);
  }

  /** True when they are in the room now; false when they were asked first. */
  async addMember(roomId: string, userId: string): Promise<boolean> {
    const added = await this.api.addMember(roomId, userId);
    if (isInvited(added)) this.invitations.noteAsked(roomId, [userId]);
    return !isInvited(added);
  }

  async createSpace(space: NewSpace): Promise<Space> {
    const made = await this.api.createSpace(space);
    await this.spaces.reload();
    return made;
  }

  /** As `addMember`. */
  async addSpaceMember(spaceId: string, userId: string): Promise<boolean> {
    return !isInvited(await this.api.addSpaceMember(spaceId, userId));
  }

  /** Its channels go with it. Each tells its members; this only spares us the wait. */
  async leaveSpace(spaceId: string): Promise<void> {
    await this.api.removeSpaceMember(spaceId, this.me.id);
    this.removeChannels(spaceId);
    this.spaces.forget(spaceId);
  }

  /** Gives the room that we are in now, if it is one. */
  async accept(invitation: Invitation): Promise<Room | undefined> {
    await this.invitations.accept(invitation.id);
    if (invitation.space_id != null) await this.spaces.reload();
    return invitation.room_id == null ? undefined : this.rooms.find(invitation.room_id);
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

  private onFrame(frame: ServerFrame): void {
    switch (frame.type) {
      case "invitation.updated":
        this.invitations.onUpdated(frame);
        break;
      case "space.joined":
      case "space.updated":
        this.spaces.onFrame(frame);
        break;
      case "space.left":
        // Channels of a space that is gone have nobody left who would tell of it.
        if (frame.reason === "deleted") this.removeChannels(frame.space_id);
        this.spaces.onFrame(frame);
        break;
      default:
        this.rooms.onFrame(frame);
    }
  }

  /** Gives the `seq` of the event that it becomes; 0 when nothing had to change. */
  private async send(item: OutboxItem): Promise<number> {
    const { roomId: room_id, clientId: client_id } = item;
    if (isPost(item)) {
      const { content } = item;
      return (await this.connection.request({ type: "message.post", room_id, client_id, content })).seq;
    }
    const { messageId: message_id, becomes } = item;
    const place = { room_id, message_id, client_id };
    const done = await (becomes === null
      ? this.connection.request({ type: "message.delete", ...place })
      : this.connection.request({ type: "message.edit", ...place, ...becomes }));
    return done.seq ?? 0;
  }

  private removeChannels(spaceId: string): void {
    for (const info of this.rooms.state.get().list) {
      if (info.space_id === spaceId) this.rooms.remove(info.id);
    }
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
    if (own.length > 0 || !this.outbox.isEmpty) this.outbox.seen(roomId, own, lastSeq);
  }
}
