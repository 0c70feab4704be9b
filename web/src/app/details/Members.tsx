import { useState } from "react";
import type { Member, Room, RoomInfo } from "../../sdk";
import { useChat } from "../context";
import { AddPeople } from "../ui/AddPeople";
import { Dialog } from "../ui/Dialog";
import { TaskError } from "../ui/Field";
import { Icon } from "../ui/Icon";
import { RoomName } from "../ui/Name";
import { useTask } from "../ui/useTask";
import { MemberRow } from "./MemberRow";
import { mayAdd, type Place } from "./permissions";

interface MembersProps {
  readonly room: Room;
  readonly info: RoomInfo;
  readonly place: Place;
  readonly members: readonly Member[] | null;
}

export function Members({ room, info, place, members }: MembersProps) {
  const chat = useChat();
  const { api } = chat;
  const task = useTask();
  const [adding, setAdding] = useState(false);
  // The event of the change brings the new list too; asking again covers a link that is just away.
  const change = (request: () => Promise<unknown>) =>
    task.run(async () => {
      await request();
      await room.loadMembers();
    });
  return (
    <section className="members" aria-label="Members">
      <header className="section-head">
        <h3>Members{members === null ? "" : ` (${members.length})`}</h3>
        {mayAdd(place) ? (
          <button type="button" className="small-button" onClick={() => setAdding(true)}>
            <Icon name="add" size={15} /> Add people
          </button>
        ) : null}
      </header>
      <TaskError task={task} />
      {members === null ? <p className="muted">Loading…</p> : null}
      <ul>
        {members?.map(({ user, role }) => (
          <MemberRow
            key={user.id}
            place={place}
            user={user}
            role={role}
            busy={task.busy}
            onRole={(next) => void change(() => api.changeRole(info.id, user.id, next))}
            onRemove={() => void change(() => api.removeMember(info.id, user.id))}
          />
        ))}
      </ul>
      {adding ? (
        <Dialog title={<>Add people to <RoomName room={info} /></>} onClose={() => setAdding(false)}>
          <AddPeople
            exclude={members?.map((member) => member.user.id) ?? []}
            onAdd={async (user) => {
              const isIn = await chat.addMember(info.id, user.id);
              await room.loadMembers();
              return isIn;
            }}
          />
        </Dialog>
      ) : null}
    </section>
  );
}
