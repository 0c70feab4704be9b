import { useState } from "react";
import type { Member, Room, RoomInfo } from "../../sdk";
import { useChat } from "../context";
import { AddPeople } from "../ui/AddPeople";
import { Dialog } from "../ui/Dialog";
import { TaskError } from "../ui/Field";
import { Icon } from "../ui/Icon";
import { RoomName } from "../ui/Name";
import { useTask } from "../ui/useTask";
import { AddTeams } from "./AddTeams";
import { MemberRow } from "./MemberRow";
import { mayAdd, type Place } from "./permissions";
import { TeamRow } from "./TeamRow";

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
  const [adding, setAdding] = useState<"people" | "teams" | null>(null);
  const people = members?.flatMap(({ user, ...rest }) => (user == null ? [] : [{ user, ...rest }])) ?? null;
  const teams = members?.flatMap(({ party, profile, role }) =>
    party?.type === "team" ? [{ id: party.id, name: profile?.name ?? "A team", role }] : [],
  );
  const nameOf = (teamId: string | null | undefined) =>
    teamId == null ? undefined : (teams?.find((team) => team.id === teamId)?.name ?? "a team");
  // The event of the change brings the new list too; asking again covers a link that is just away.
  const change = (request: () => Promise<unknown>) =>
    task.run(async () => {
      await request();
      await room.loadMembers();
    });
  return (
    <section className="members" aria-label="Members">
      <header className="section-head">
        <h3>Members{people === null ? "" : ` (${people.length})`}</h3>
        {mayAdd(place) ? (
          <button type="button" className="small-button" onClick={() => setAdding("people")}>
            <Icon name="add" size={15} /> Add people
          </button>
        ) : null}
      </header>
      <TaskError task={task} />
      {members === null ? <p className="muted">Loading…</p> : null}
      <ul>
        {teams?.map(({ id, name, role }) => (
          <TeamRow
            key={id}
            place={place}
            id={id}
            name={name}
            role={role}
            busy={task.busy}
            onRole={(next) => void change(() => api.changeRole(info.id, `team:${id}`, next))}
            onRemove={() => void change(() => api.removeMember(info.id, `team:${id}`))}
          />
        ))}
        {people?.map(({ user, role, via_team_id: viaTeam }) => (
          <MemberRow
            key={user.id}
            place={place}
            user={user}
            role={role}
            withTeam={nameOf(viaTeam)}
            busy={task.busy}
            onRole={(next) => void change(() => api.changeRole(info.id, user.id, next))}
            onRemove={() => void change(() => api.removeMember(info.id, user.id))}
          />
        ))}
      </ul>
      {adding === null ? null : (
        <Dialog title={<>Add people to <RoomName room={info} /></>} onClose={() => setAdding(null)}>
          <div className="segments" role="group" aria-label="Whom to add">
            <button type="button" aria-pressed={adding === "people"} onClick={() => setAdding("people")}>
              People
            </button>
            <button type="button" aria-pressed={adding === "teams"} onClick={() => setAdding("teams")}>
              Teams
            </button>
          </div>
          {adding === "teams" ? (
            <AddTeams room={room} exclude={teams?.map((team) => team.id) ?? []} />
          ) : (
            <AddPeople
              exclude={people?.map((member) => member.user.id) ?? []}
              onAdd={async (user) => {
                const isIn = await chat.addMember(info.id, user.id);
                await room.loadMembers();
                return isIn;
              }}
            />
          )}
        </Dialog>
      )}
    </section>
  );
}
