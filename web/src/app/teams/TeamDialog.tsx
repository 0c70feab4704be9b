import { useCallback, useState } from "react";
import type { Team, TeamMember, TeamRole } from "../../sdk";
import { useChat } from "../context";
import { personName } from "../names";
import { AddPeople } from "../ui/AddPeople";
import { PersonAvatar } from "../ui/Avatar";
import { Dialog } from "../ui/Dialog";
import { Field, TaskError } from "../ui/Field";
import { Icon } from "../ui/Icon";
import { useLoaded } from "../ui/useLoaded";
import { useTask } from "../ui/useTask";

interface TeamDialogProps {
  readonly team: Team;
  readonly onChanged: () => Promise<void>;
  readonly onClose: () => void;
}

type View = "members" | "add" | "settings" | "leave" | "delete";

/** One team: who is in it, who else should be, what it is called, and the way out of it. */
export function TeamDialog({ team, onChanged, onClose }: TeamDialogProps) {
  const { api, me } = useChat();
  const [view, setView] = useState<View>("members");
  const { members, problem, load } = useTeamMembers(team.id);
  const owns = team.role === "owner";
  const gone = async () => {
    await onChanged();
    onClose();
  };
  if (view === "leave" || view === "delete") {
    const act = view === "leave" ? () => api.removeTeamMember(team.id, me.id) : () => api.deleteTeam(team.id);
    return <TeamEnd team={team} leaving={view === "leave"} act={act} onStay={() => setView("members")} onDone={gone} />;
  }
  const tab = (name: View, label: string) => (
    <button type="button" aria-pressed={view === name} onClick={() => setView(name)}>
      {label}
    </button>
  );
  return (
    <Dialog title={<bdi>{team.name}</bdi>} onClose={onClose}>
      {owns ? (
        <div className="segments" role="group" aria-label="What to do">
          {tab("members", members === null ? "People" : `People (${members.length})`)}
          {tab("add", "Add people")}
          {tab("settings", "Settings")}
        </div>
      ) : null}
      {view === "add" ? (
        <AddPeople
          exclude={members?.map((member) => member.user.id) ?? [me.id]}
          after="They are in every room where the team is."
          onAdd={async (user) => {
            await api.addTeamMember(team.id, user.id);
            await Promise.all([load(), onChanged()]);
            return true;
          }}
        />
      ) : view === "settings" ? (
        <Settings key={`${team.name}/${team.description ?? ""}`} team={team} onChanged={onChanged} onDelete={() => setView("delete")} />
      ) : (
        <>
          {problem === null ? null : <p className="form-error" role="alert">{problem}</p>}
          <TeamPeople team={team} members={members} onChanged={() => Promise.all([load(), onChanged()])} />
          <button type="button" className="button button-quiet-danger" onClick={() => setView("leave")}>
            <Icon name="sign-out" size={18} /> Leave this team
          </button>
        </>
      )}
    </Dialog>
  );
}

interface TeamPeopleProps {
  readonly team: Team;
  readonly members: readonly TeamMember[] | null;
  readonly onChanged: () => Promise<unknown>;
}

function TeamPeople({ team, members, onChanged }: TeamPeopleProps) {
  const { api, me } = useChat();
  const task = useTask();
  const owns = team.role === "owner";
  const change = (request: () => Promise<unknown>) =>
    void task.run(async () => {
      await request();
      await onChanged();
    });
  return (
    <section className="members" aria-label="People of the team">
      <TaskError task={task} />
      {members === null ? <p className="muted">Loading…</p> : null}
      <ul className="members-scroll">
        {members?.map(({ user, role }) => {
          const spoken = `${personName(user)}, @${user.username}`;
          return (
            <li key={user.id} className="member">
              <PersonAvatar user={user} size={34} />
              <span className="member-name">
                <span>
                  <bdi>{personName(user)}</bdi>
                  {user.id === me.id ? <span className="muted"> (you)</span> : null}
                </span>
                <span className="muted">@{user.username}</span>
              </span>
              {owns ? (
                <select
                  className="role-select"
                  aria-label={`Role of ${spoken}`}
                  disabled={task.busy}
                  value={role}
                  onChange={(event) => change(() => api.changeTeamRole(team.id, user.id, event.target.value as TeamRole))}
                >
                  <option value="owner">owner</option>
                  <option value="member">member</option>
                </select>
              ) : (
                <span className="role">{role}</span>
              )}
              {owns && user.id !== me.id ? (
                <button
                  type="button"
                  className="icon-button icon-button-small"
                  aria-label={`Remove ${spoken}`}
                  title="Remove"
                  disabled={task.busy}
                  onClick={() => change(() => api.removeTeamMember(team.id, user.id))}
                >
                  <Icon name="close" size={16} />
                </button>
              ) : null}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

interface SettingsProps {
  readonly team: Team;
  readonly onChanged: () => Promise<void>;
  readonly onDelete: () => void;
}

function Settings({ team, onChanged, onDelete }: SettingsProps) {
  const { api } = useChat();
  const task = useTask();
  const [name, setName] = useState(team.name);
  const [description, setDescription] = useState(team.description ?? "");
  return (
    <>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          void task.run(async () => {
            await api.updateTeam(team.id, { name: name.trim(), description: description.trim() });
            await onChanged();
          });
        }}
      >
        <Field label="Team name" required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
        <Field label="Description" maxLength={500} value={description} onChange={(event) => setDescription(event.target.value)} />
        <TaskError task={task} />
        <button type="submit" className="button button-primary" disabled={task.busy || name.trim() === ""}>
          Save
        </button>
      </form>
      <button type="button" className="button button-quiet-danger" onClick={onDelete}>
        <Icon name="close" size={18} /> Delete this team
      </button>
    </>
  );
}

interface TeamEndProps {
  readonly team: Team;
  readonly leaving: boolean;
  readonly act: () => Promise<unknown>;
  readonly onStay: () => void;
  readonly onDone: () => Promise<void>;
}

/** Both take somebody out of rooms: that is said before it is done. */
function TeamEnd({ team, leaving, act, onStay, onDone }: TeamEndProps) {
  const task = useTask();
  const verb = leaving ? "Leave" : "Delete";
  const done = () =>
    task.run(async () => {
      await act();
      await onDone();
    });
  return (
    <Dialog title={<>{verb} <bdi>{team.name}</bdi>?</>} onClose={onStay}>
      <p>
        {leaving
          ? "You leave every room where you are with this team only."
          : "It leaves all of its rooms, and so do those who are there with it only."}
      </p>
      <TaskError task={task} />
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onStay}>
          Cancel
        </button>
        <button type="button" className="button button-danger" disabled={task.busy} onClick={() => void done()}>
          {verb}
        </button>
      </div>
    </Dialog>
  );
}

function useTeamMembers(teamId: string) {
  const { api, people } = useChat();
  const read = useCallback(async () => {
    const found = await api.teamMembers(teamId);
    people.learn(found.map((member) => member.user));
    return found;
  }, [api, people, teamId]);
  const { value: members, problem, load } = useLoaded(read);
  return { members, problem, load };
}
