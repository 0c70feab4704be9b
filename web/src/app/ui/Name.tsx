/**
 * Names as they are shown. Each is isolated: a name in a script that runs from right to left, or with marks that turn
 * the direction, must not rearrange the words around it.
 */
import { useSyncExternalStore } from "react";
import type { Person as KnownPerson, RoomInfo } from "../../sdk";
import { useChat } from "../context";
import { personName, roomName } from "../names";

type Person = Pick<KnownPerson, "id" | "username" | "full_name">;

/** The shown name, with the username where it could be taken for somebody else's. */
export function PersonName({ user }: { readonly user: Person }) {
  const alike = useAlike(user.id);
  return (
    <>
      <bdi>{personName(user)}</bdi>
      {alike ? <span className="handle"> @{user.username}</span> : null}
    </>
  );
}

export function RoomName({ room }: { readonly room: Pick<RoomInfo, "kind" | "name" | "peer"> }) {
  return room.peer == null ? <bdi>{roomName(room)}</bdi> : <PersonName user={room.peer} />;
}

/** "Ada, Ben, Cleo". */
export function PeopleNames({ users }: { readonly users: readonly Person[] }) {
  return users.map((user, index) => (
    <span key={user.id}>
      {index === 0 ? null : ", "}
      <PersonName user={user} />
    </span>
  ));
}

/** Whether somebody's shown name could be taken for another's. */
export function useAlike(id: string): boolean {
  const { people } = useChat();
  return useSyncExternalStore(people.alike.subscribe, () => people.alike.get().has(id));
}
