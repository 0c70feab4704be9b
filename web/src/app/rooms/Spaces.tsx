import { useCallback, useEffect, useState } from "react";
import type { Channel, RoomInfo, Space } from "../../sdk";
import { useChat, useLink, useStorePerFrame } from "../context";
import { roomName } from "../names";
import { goToRoom } from "../route";
import { Icon } from "../ui/Icon";
import { useTask } from "../ui/useTask";
import { NewChannel, NewSpace, SpacePeople } from "./SpaceDialogs";
import { follow, UnreadBadge } from "./RoomItem";

type OpenDialog = { kind: "space" } | { kind: "channel" | "people"; space: Space };

/** Spaces and their channels: those we are in, and those we may join. */
export function Spaces({ openId }: { readonly openId: string | null }) {
  const { spaces, reload } = useSpaces();
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const done = () => {
    setDialog(null);
    reload();
  };
  return (
    <section className="spaces" aria-label="Spaces">
      <header className="section-head">
        <h2>Spaces</h2>
        <button
          type="button"
          className="icon-button icon-button-small"
          aria-label="New space"
          title="New space"
          onClick={() => setDialog({ kind: "space" })}
        >
          <Icon name="add" size={16} />
        </button>
      </header>
      {spaces.map(({ space, channels }) => (
        <SpaceSection
          key={space.id}
          space={space}
          channels={channels}
          openId={openId}
          onNewChannel={() => setDialog({ kind: "channel", space })}
          onPeople={() => setDialog({ kind: "people", space })}
        />
      ))}
      {dialog?.kind === "space" ? <NewSpace onClose={done} /> : null}
      {dialog?.kind === "channel" ? <NewChannel space={dialog.space} onClose={done} /> : null}
      {dialog?.kind === "people" ? <SpacePeople space={dialog.space} onClose={done} /> : null}
    </section>
  );
}

/** A channel as the list of its space has it, with its room once we are in it. */
interface ListedChannel {
  readonly id: string;
  readonly name: string;
  readonly room: RoomInfo | undefined;
}

interface SpaceSectionProps {
  readonly space: Space;
  readonly channels: readonly ListedChannel[];
  readonly openId: string | null;
  readonly onNewChannel: () => void;
  readonly onPeople: () => void;
}

function SpaceSection({ space, channels, openId, onNewChannel, onPeople }: SpaceSectionProps) {
  const mayAdd = space.role !== "guest";
  return (
    <div className="space" role="group" aria-label={space.name}>
      <header className="space-head">
        <h3 title={space.topic ?? undefined}>
          <bdi>{space.name}</bdi>
        </h3>
        {mayAdd ? (
          <>
            <button
              type="button"
              className="icon-button icon-button-small"
              aria-label={`Add people to ${space.name}`}
              title="Add people"
              onClick={onPeople}
            >
              <Icon name="people" size={16} />
            </button>
            <button
              type="button"
              className="icon-button icon-button-small"
              aria-label={`New channel in ${space.name}`}
              title="New channel"
              onClick={onNewChannel}
            >
              <Icon name="add" size={16} />
            </button>
          </>
        ) : null}
      </header>
      <ul className="channel-list">
        {channels.map((channel) => (
          <li key={channel.id}>
            <ChannelItem channel={channel} open={channel.id === openId} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function ChannelItem({ channel, open }: { readonly channel: ListedChannel; readonly open: boolean }) {
  const chat = useChat();
  const task = useTask();
  const join = () =>
    task.run(async () => {
      await chat.joinRoom(channel.id);
      goToRoom(channel.id);
    });
  if (channel.room === undefined) {
    return (
      <span className="channel channel-foreign" title={task.message ?? undefined}>
        <Icon name="hash" size={15} />
        <bdi className="channel-name">{channel.name}</bdi>
        <button type="button" className="small-button" disabled={task.busy} onClick={() => void join()}>
          Join<span className="visually-hidden"> {channel.name}</span>
        </button>
      </span>
    );
  }
  return (
    <a
      className="channel"
      href={`/room/${channel.id}`}
      aria-current={open ? "page" : undefined}
      data-unread={channel.room.unread > 0}
      onClick={(event) => follow(event, channel.id)}
    >
      <Icon name="hash" size={15} />
      <bdi className="channel-name">{channel.name}</bdi>
      <UnreadBadge count={channel.room.unread} />
    </a>
  );
}

interface SpaceWithChannels<C> {
  readonly space: Space;
  readonly channels: readonly C[];
}

/** Spaces come by request, not by event: asked for when the link comes up and when our own channels change. */
function useSpaces(): { spaces: readonly SpaceWithChannels<ListedChannel>[]; reload: () => void } {
  const { api, rooms } = useChat();
  const { list } = useStorePerFrame(rooms.state);
  const online = useLink().name === "online";
  const [loaded, setLoaded] = useState<readonly SpaceWithChannels<Channel>[]>([]);
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  const joined = list.filter((info) => info.space_id != null);
  const joinedIds = joined.map((info) => info.id).sort().join();

  useEffect(() => {
    if (!online) return;
    let wanted = true;
    const load = async () => {
      const spaces = await api.spaces();
      const channels = await Promise.all(spaces.map((space) => api.channels(space.id)));
      if (wanted) setLoaded(spaces.map((space, index) => ({ space, channels: channels[index] ?? [] })));
    };
    // What is shown stays until the next chance.
    load().catch(() => undefined);
    return () => {
      wanted = false;
    };
  }, [api, online, round, joinedIds]);

  // Live names and unread counts come from the rooms that we follow; the request only adds those that we could join.
  const live = new Map(joined.map((info) => [info.id, info]));
  const spaces = loaded.map(({ space, channels }) => {
    const listed = channels.map(({ id, name }): ListedChannel => {
      const room = live.get(id);
      return { id, name: roomName(room ?? { kind: "channel", name: name ?? null }), room };
    });
    return { space, channels: listed.sort((a, b) => a.name.localeCompare(b.name)) };
  });
  return { spaces, reload };
}
