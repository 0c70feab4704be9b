import { useState } from "react";
import type { RoomInfo, Space } from "../../sdk";
import { useChat, useStore, useStorePerFrame } from "../context";
import { roomName } from "../names";
import { goToRoom } from "../route";
import { TaskError } from "../ui/Field";
import { Icon } from "../ui/Icon";
import { useTask } from "../ui/useTask";
import { NewChannel, NewSpace } from "./SpaceDialogs";
import { SpacePeople } from "./SpacePeople";
import { follow, UnreadBadge } from "./RoomItem";

type OpenDialog = { kind: "space" } | { kind: "channel" | "people"; space: Space };

/** Spaces and their channels: those we are in, and those we may join. */
export function Spaces({ openId }: { readonly openId: string | null }) {
  const spaces = useSpaces();
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const done = () => setDialog(null);
  // As it is now: our own role may change while the dialog is open.
  const people = dialog?.kind === "people" ? spaces.find(({ space }) => space.id === dialog.space.id)?.space : undefined;
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
      {people === undefined ? null : <SpacePeople space={people} onClose={done} />}
    </section>
  );
}

/** A channel as the list of its space has it, with its room once we are in it. */
interface ListedChannel {
  readonly id: string;
  readonly name: string;
  readonly joined: boolean;
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
        <button
          type="button"
          className="icon-button icon-button-small"
          aria-label={`People of ${space.name}`}
          title="People"
          onClick={onPeople}
        >
          <Icon name="people" size={16} />
        </button>
        {mayAdd ? (
          <button
            type="button"
            className="icon-button icon-button-small"
            aria-label={`New channel in ${space.name}`}
            title="New channel"
            onClick={onNewChannel}
          >
            <Icon name="add" size={16} />
          </button>
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
  // One that we are in may be missing from a long list of rooms: opening it brings it.
  if (channel.room === undefined && !channel.joined) {
    return (
      <>
        <span className="channel channel-foreign">
          <Icon name="hash" size={15} />
          <bdi className="channel-name">{channel.name}</bdi>
          <button type="button" className="small-button" disabled={task.busy} onClick={() => void join()}>
            Join<span className="visually-hidden"> {channel.name}</span>
          </button>
        </span>
        <TaskError task={task} />
      </>
    );
  }
  const unread = channel.room?.unread ?? 0;
  return (
    <a
      className="channel"
      href={`/room/${channel.id}`}
      aria-current={open ? "page" : undefined}
      data-unread={unread > 0}
      onClick={(event) => follow(event, channel.id)}
    >
      <Icon name="hash" size={15} />
      <bdi className="channel-name">{channel.name}</bdi>
      <UnreadBadge count={unread} />
    </a>
  );
}

/** Live names and unread counts come from the rooms that we follow; the request only adds those that we could join. */
function useSpaces(): readonly { readonly space: Space; readonly channels: readonly ListedChannel[] }[] {
  const { rooms, spaces } = useChat();
  const { list } = useStorePerFrame(rooms.state);
  const live = new Map(list.map((info) => [info.id, info]));
  return useStore(spaces.list).map(({ space, channels }) => {
    const listed = channels.map(({ id, name, joined }): ListedChannel => {
      const room = live.get(id);
      return { id, name: roomName(room ?? { kind: "channel", name: name ?? null }), joined, room };
    });
    return { space, channels: listed.sort((a, b) => a.name.localeCompare(b.name)) };
  });
}
