/**
 * Our spaces with their channels. Asked for when the link comes up, because what happened meanwhile is not kept for us, and
 * when the channels that we are in change. In between the engine tells us that we came into a space or are out of one, and
 * what it is called: on all of our devices, whoever did it.
 */
import type { Api } from "./api";
import { Reload } from "./reload";
import { Store } from "./store";
import type { Channel, RoomInfo, Space, SpaceFrame } from "./types";

export interface SpaceWithChannels {
  readonly space: Space;
  readonly channels: readonly Channel[];
}

export class Spaces {
  readonly list = new Store<readonly SpaceWithChannels[]>([]);
  private channelIds = "";
  private readonly reloading: Reload;

  constructor(private readonly api: Pick<Api, "spaces" | "channels">) {
    this.reloading = new Reload(async () => {
      const spaces = await this.api.spaces();
      const channels = await Promise.all(spaces.map((space) => this.api.channels(space.id)));
      this.list.set(spaces.map((space, index) => ({ space, channels: channels[index] ?? [] })));
    });
  }

  reload(): Promise<void> {
    return this.reloading.now();
  }

  /** The rooms that we are in: another set of channels among them may mean another set of spaces. */
  follow(rooms: readonly RoomInfo[]): void {
    const joined = rooms.filter((info) => info.space_id != null).map((info) => info.id);
    const ids = joined.sort().join();
    if (ids === this.channelIds) return;
    this.channelIds = ids;
    void this.reload();
  }

  onFrame(frame: SpaceFrame): void {
    if (frame.type === "space.left") {
      this.forget(frame.space_id);
      // A list that is being read may have it still.
      this.reloading.again();
      return;
    }
    const { space } = frame;
    const isKnown = this.list.get().some((known) => known.space.id === space.id);
    if (isKnown) {
      this.list.update((list) => list.map((known) => (known.space.id === space.id ? { ...known, space } : known)));
      this.reloading.again();
    } else {
      // With its channels, which only a request brings.
      void this.reload();
    }
  }

  /** Our role in the space that a channel belongs to. */
  roleIn(spaceId: string | null | undefined): Space["role"] | null {
    return this.list.get().find(({ space }) => space.id === spaceId)?.space.role ?? null;
  }

  forget(spaceId: string): void {
    this.list.update((list) => list.filter(({ space }) => space.id !== spaceId));
  }
}
