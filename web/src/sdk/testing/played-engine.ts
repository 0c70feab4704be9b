/** The whole library against an engine that the test plays by hand: one socket, frames in and out. */
import { Api } from "../api";
import { Chat } from "../chat";
import { Http } from "../http";
import type { RoomState } from "../room";
import { LocalLocks, MemoryStore } from "../storage";
import type { OwnUser, RoomInfo } from "../types";
import { ME, posted, ROOM } from "./builders";
import { FakeNetwork, type FakeSocket } from "./fake-socket";
import { ManualClock, settled } from "./manual-clock";

export class PlayedEngine {
  readonly clock = new ManualClock();
  /** Answers to HTTP calls by path, and for further pages by "path after cursor"; anything else is 404. */
  pages: Record<string, unknown> = {};
  chat: Chat;
  private readonly network = new FakeNetwork();
  private readonly storage = new MemoryStore();

  constructor() {
    this.chat = this.open();
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    return this.network.current;
  }

  /** What the page knows of the room `ROOM`. */
  get room(): RoomState {
    const found = this.chat.rooms.get(ROOM);
    if (found === undefined) throw new Error("no room");
    return found.state.get();
  }

  /** As a reload of the page does: everything anew, but for what the browser keeps. */
  reload(): void {
    this.chat.stop();
    this.chat = this.open();
  }

  async online(...rooms: readonly RoomInfo[]): Promise<void> {
    await this.onlineWith({}, ...rooms);
  }

  /** `extra` is what else `ready` says. */
  async onlineWith(extra: object, ...rooms: readonly RoomInfo[]): Promise<void> {
    this.chat.start();
    await settled();
    this.socket.ready(rooms, extra);
    await settled();
  }

  async reconnect(...rooms: readonly RoomInfo[]): Promise<void> {
    await this.reconnectWith({}, ...rooms);
  }

  async reconnectWith(extra: object, ...rooms: readonly RoomInfo[]): Promise<void> {
    this.socket.onclose?.(1006, "");
    await this.clock.advance(15_000);
    this.socket.ready(rooms, extra);
    await settled();
  }

  async answerCatchUp(from: number, to: number, lastSeq: number, more: boolean): Promise<void> {
    const events = Array.from({ length: to - from + 1 }, (_, index) => posted(from + index));
    this.socket.deliver({ type: "ok", re: this.socket.last("room.catch_up").id, events, last_seq: lastSeq, more });
    await settled();
  }

  private open(): Chat {
    const http = new Http("", null, (input) => {
      const [path = "", query = ""] = (input as string).split("?");
      const after = new URLSearchParams(query).get("after");
      const found = this.pages[after === null ? path : `${path} after ${after}`];
      return Promise.resolve(new Response(JSON.stringify(found ?? {}), { status: found === undefined ? 404 : 200 }));
    });
    return new Chat({
      me: { id: ME, username: "me" } as OwnUser,
      api: new Api(http),
      clock: this.clock,
      storage: this.storage,
      locks: new LocalLocks(),
      device: { id: "device", name: "Test" },
      open: this.network.open,
      accessToken: () => Promise.resolve("token"),
      expiresAt: () => null,
      onSignedOut: () => undefined,
    });
  }
}
