import { useState } from "react";
import type { Member, Role, Room, RoomInfo, User } from "../../sdk";
import { useChat } from "../context";
import { personName } from "../names";
import { PersonAvatar } from "../ui/Avatar";
import { Dialog } from "../ui/Dialog";
import { TaskError } from "../ui/Field";
import { Icon } from "../ui/Icon";
import { PeopleNames, RoomName } from "../ui/Name";
import { PeoplePicker } from "../ui/PeoplePicker";
import { useTask, type Task } from "../ui/useTask";
import { givableRoles, mayAdd, mayManage } from "./permissions";

interface MembersProps {
  readonly room: Room;
  readonly info: RoomInfo;
  readonly members: readonly Member[] | null;
}

export function Members({ room, info, members }: MembersProps) {
  const { api } = useChat();
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
        {mayAdd(info) ? (
          <button type="button" className="small-button" onClick={() => setAdding(true)}>
            <Icon name="add" size={15} /> Add people
          </button>
        ) : null}
      </header>
      <TaskError task={task} />
      {members === null ? <p className="muted">Loading…</p> : null}
      <ul>
        {members?.map((member) => (
          <li key={member.user.id} className="member">
            <PersonAvatar user={member.user} size={34} />
            <MemberName member={member} />
            <MemberControls
              info={info}
              member={member}
              busy={task.busy}
              onRole={(role) => void change(() => api.changeRole(info.id, member.user.id, role))}
              onRemove={() => void change(() => api.removeMember(info.id, member.user.id))}
            />
          </li>
        ))}
      </ul>
      {adding ? (
        <AddPeople
          info={info}
          members={members ?? []}
          onAdd={(user) => change(() => api.addMember(info.id, user.id))}
          task={task}
          onClose={() => setAdding(false)}
        />
      ) : null}
    </section>
  );
}

function MemberName({ member }: { readonly member: Member }) {
  const { me } = useChat();
  return (
    <span className="member-name">
      <span>
        <bdi>{personName(member.user)}</bdi>
        {member.user.id === me.id ? <span className="muted"> (you)</span> : null}
      </span>
      <span className="muted">@{member.user.username}</span>
    </span>
  );
}

interface MemberControlsProps {
  readonly info: RoomInfo;
  readonly member: Member;
  readonly busy: boolean;
  readonly onRole: (role: Role) => void;
  readonly onRemove: () => void;
}

function MemberControls({ info, member, busy, onRole, onRemove }: MemberControlsProps) {
  const { me } = useChat();
  const name = personName(member.user);
  if (member.user.id === me.id || !mayManage(info, member.role)) {
    return <span className="role">{member.role}</span>;
  }
  return (
    <>
      <select
        className="role-select"
        aria-label={`Role of ${name}`}
        disabled={busy}
        value={member.role}
        onChange={(event) => onRole(event.target.value as Role)}
      >
        {givableRoles(info).map((role) => (
          <option key={role} value={role}>
            {role}
          </option>
        ))}
      </select>
      <button
        type="button"
        className="icon-button icon-button-small"
        aria-label={`Remove ${name}`}
        title="Remove"
        disabled={busy}
        onClick={onRemove}
      >
        <Icon name="close" size={16} />
      </button>
    </>
  );
}

interface AddPeopleProps {
  readonly info: RoomInfo;
  readonly members: readonly Member[];
  readonly onAdd: (user: User) => Promise<boolean>;
  readonly task: Task;
  readonly onClose: () => void;
}

function AddPeople({ info, members, onAdd, task, onClose }: AddPeopleProps) {
  const [added, setAdded] = useState<readonly User[]>([]);
  const add = async (user: User) => {
    if (await onAdd(user)) setAdded((before) => [...before, user]);
  };
  return (
    <Dialog title={<>Add people to <RoomName room={info} /></>} onClose={onClose}>
      <div className="form">
        <PeoplePicker
          label="Find somebody"
          exclude={[...members.map((member) => member.user.id), ...added.map((user) => user.id)]}
          busy={task.busy}
          onPick={(user) => void add(user)}
        />
        <TaskError task={task} />
        {added.length === 0 ? null : (
          <p role="status">
            Added: <PeopleNames users={added} />
          </p>
        )}
      </div>
    </Dialog>
  );
}
