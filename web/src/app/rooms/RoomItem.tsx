import { memo, type MouseEvent, type ReactNode } from "react";
import type { Message, Party, Person, Room, RoomInfo } from "../../sdk";
import { useChat, usePartyName, useStorePerFrame, useUser } from "../context";
import { personName } from "../names";
import { goToRoom } from "../route";
import { briefly } from "../times";
import { RoomAvatar } from "../ui/Avatar";
import { RoomName, useAlike } from "../ui/Name";

interface RoomItemProps {
  readonly info: RoomInfo;
  readonly open: boolean;
}

export const RoomItem = memo(function RoomItem({ info, open }: RoomItemProps) {
  return (
    <a
      className="room-item"
      href={`/room/${info.id}`}
      aria-current={open ? "page" : undefined}
      onClick={(event) => follow(event, info.id)}
    >
      <RoomAvatar room={info} />
      <span className="room-item-text">
        <span className="room-item-top">
          <span className="room-item-name">
            <RoomName room={info} />
          </span>
          {info.last_message_at == null ? null : (
            <time className="room-item-time" dateTime={info.last_message_at}>
              {briefly(new Date(info.last_message_at))}
            </time>
          )}
        </span>
        <span className="room-item-bottom">
          <Preview info={info} />
          <UnreadBadge count={info.unread} />
        </span>
      </span>
    </a>
  );
});

export function UnreadBadge({ count }: { readonly count: number }) {
  if (count === 0) return null;
  return (
    <span className="badge">
      {count > 99 ? "99+" : count}
      <span className="visually-hidden"> unread</span>
    </span>
  );
}

/** The last message when it is here, else what the room is. */
function Preview({ info }: { readonly info: RoomInfo }) {
  const chat = useChat();
  const room = chat.rooms.get(info.id);
  return room === undefined ? (
    <span className="room-item-preview">{subtitle(info)}</span>
  ) : (
    <LivePreview info={info} room={room} />
  );
}

function LivePreview({ info, room }: { readonly info: RoomInfo; readonly room: Room }) {
  const { entries } = useStorePerFrame(room.state);
  const last = entries.findLast((event) => event.type === "message.posted");
  if (last?.type !== "message.posted") return <span className="room-item-preview">{subtitle(info)}</span>;
  return (
    <span className="room-item-preview">
      <SenderPrefix sender={last.message.sender} direct={info.kind === "direct"} />
      {/* A preview needs one line; laying out a whole long message would be wasted. */}
      {last.message.deleted_at == null ? <bdi>{last.message.content.slice(0, 160)}</bdi> : <em>message deleted</em>}
    </span>
  );
}

function SenderPrefix({ sender, direct }: { readonly sender: Message["sender"]; readonly direct: boolean }) {
  if (sender.type === "system" || sender.id == null) return null;
  if (sender.type === "user") return <UserPrefix id={sender.id} direct={direct} />;
  return <PartyPrefix party={{ type: sender.type, id: sender.id }} />;
}

function UserPrefix({ id, direct }: { readonly id: string; readonly direct: boolean }) {
  const { me } = useChat();
  const sender = useUser(id);
  if (id === me.id) return "You: ";
  return direct || sender === null ? null : <SenderName sender={sender} />;
}

function PartyPrefix({ party }: { readonly party: Party }) {
  const name = usePartyName(party);
  return name === null ? null : <><bdi>{name}</bdi>: </>;
}

/** The first word of the name, unless that is all there is to tell two people apart by. */
function SenderName({ sender }: { readonly sender: Person }) {
  return (
    <>
      <bdi>{useAlike(sender.id) ? `@${sender.username}` : (personName(sender).split(" ")[0] ?? "")}</bdi>
      {": "}
    </>
  );
}

function subtitle(info: RoomInfo): ReactNode {
  if (info.peer != null) return `@${info.peer.username}`;
  const topic = info.topic?.trim() ?? "";
  if (topic !== "") return <bdi>{topic}</bdi>;
  return info.member_count === 1 ? "Only you" : `${info.member_count} members`;
}

/** A plain click stays in the page; with a modifier the browser opens a tab as usual. */
export function follow(event: MouseEvent, roomId: string): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  goToRoom(roomId);
}
