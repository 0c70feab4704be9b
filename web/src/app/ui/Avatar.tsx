import type { CSSProperties } from "react";
import type { Person, RoomInfo } from "../../sdk";
import { hueOf, initials, personName, roomName } from "../names";
import { Icon } from "./Icon";

interface AvatarProps {
  readonly id: string;
  readonly name: string;
  readonly size?: number;
  readonly kind?: RoomInfo["kind"];
}

/** Initials on the colour of the id. Decoration: the name always stands beside it. */
export function Avatar({ id, name, size = 40, kind }: AvatarProps) {
  const style = { "--hue": hueOf(id), "--size": `${size}px` } as CSSProperties;
  const square = kind === "group" || kind === "channel";
  return (
    <span className={square ? "avatar avatar-room" : "avatar"} style={style} aria-hidden="true">
      {kind === "channel" ? <Icon name="hash" size={size * 0.5} /> : initials(name)}
    </span>
  );
}

export function RoomAvatar({ room, size = 40 }: { readonly room: RoomInfo; readonly size?: number }) {
  return <Avatar id={room.peer?.id ?? room.id} name={roomName(room)} kind={room.kind} size={size} />;
}

export function PersonAvatar({ user, size = 36 }: { readonly user: Person; readonly size?: number }) {
  return <Avatar id={user.id} name={personName(user)} size={size} />;
}
