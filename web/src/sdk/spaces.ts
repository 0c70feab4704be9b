/**
 * Our spaces with their channels. They come by request, not by event: asked for when the link comes up, when the channels
 * that we are in change, and when somebody changes a space here.
 */
import type { Api } from "./api";
import { Reload } from "./reload";
import { Store } from "./store";
import type { Channel, RoomInfo, Space } from "./types";

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

  /** Our role in the space that a channel belongs to. */
  roleIn(spaceId: string | null | undefined): Space["role"] | null {
    return this.list.get().find(({ space }) => space.id === spaceId)?.space.role ?? null;
  }

  forget(spaceId: string): void {
    this.list.update((list) => list.filter(({ space }) => space.id !== spaceId));
  }
}
