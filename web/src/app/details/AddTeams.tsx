import { useState } from "react";
import type { Room, Team } from "../../sdk";
import { useChat } from "../context";
import { Avatar } from "../ui/Avatar";
import { TaskError } from "../ui/Field";
import { useLoaded } from "../ui/useLoaded";
import { useTask } from "../ui/useTask";

interface AddTeamsProps {
  readonly room: Room;
  /** Ids of those that are in already. */
  readonly exclude: readonly string[];
}

/** Our teams, each of which can be added with all of its people. */
export function AddTeams({ room, exclude }: AddTeamsProps) {
  const { api } = useChat();
  const { value: teams, problem } = useLoaded(api.teams);
  const task = useTask();
  const [added, setAdded] = useState<readonly Team[]>([]);
  const add = (team: Team) =>
    task.run(async () => {
      await api.addTeam(room.id, team.id);
      setAdded((before) => [...before, team]);
      await room.loadMembers();
    });
  const offered = teams?.filter((team) => !exclude.includes(team.id)) ?? [];
  return (
    <div className="form">
      {problem === null ? null : <p className="form-error" role="alert">{problem}</p>}
      {teams === null && problem === null ? <p className="muted">Loading…</p> : null}
      {teams !== null && offered.length === 0 ? (
        <p className="muted">
          {teams.length === 0 ? "You are in no team yet. Make one under Teams." : "All of your teams are here."}
        </p>
      ) : null}
      <ul className="team-offer">
        {offered.map((team) => (
          <li key={team.id} className="member">
            <Avatar id={team.id} name={team.name} kind="group" size={34} />
            <span className="member-name">
              <bdi>{team.name}</bdi>
              <span className="muted">{peopleCount(team)}</span>
            </span>
            <button
              type="button"
              className="small-button"
              aria-label={`Add the team ${team.name}`}
              disabled={task.busy}
              onClick={() => void add(team)}
            >
              Add
            </button>
          </li>
        ))}
      </ul>
      <TaskError task={task} />
      <div role="status" className="added">
        {added.length === 0 ? null : <p>Added: {added.map((team) => team.name).join(", ")}, with all of their people.</p>}
      </div>
    </div>
  );
}

function peopleCount({ member_count: count }: Team): string {
  return count === 1 ? "1 person" : `${count ?? 0} people`;
}
