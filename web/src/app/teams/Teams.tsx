import { useEffect, useState } from "react";
import { newId, type Team } from "../../sdk";
import { useChat, useLink } from "../context";
import { NameForm } from "../rooms/SpaceDialogs";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { useLoaded } from "../ui/useLoaded";
import { TeamDialog } from "./TeamDialog";

/** Our teams: people who come into rooms together. */
export function Teams() {
  const { api } = useChat();
  const { value: teams, load } = useLoaded(api.teams);
  const online = useLink().name === "online";
  const [making, setMaking] = useState(false);
  const [openId, setOpenId] = useState<string | null>(null);
  // Others may have put us into a team meanwhile.
  useEffect(() => {
    if (online) void load();
  }, [online, load]);
  const open = teams?.find((team) => team.id === openId);
  return (
    <section className="spaces teams" aria-label="Teams">
      <header className="section-head">
        <h2>Teams</h2>
        <button
          type="button"
          className="icon-button icon-button-small"
          aria-label="New team"
          title="New team"
          onClick={() => setMaking(true)}
        >
          <Icon name="add" size={16} />
        </button>
      </header>
      <ul className="channel-list">
        {teams?.map((team) => (
          <li key={team.id}>
            <button
              type="button"
              className="channel"
              onClick={() => {
                setOpenId(team.id);
                void load();
              }}
            >
              <Icon name="people" size={15} />
              <bdi className="channel-name">{team.name}</bdi>
            </button>
          </li>
        ))}
      </ul>
      {making ? (
        <NewTeam
          onClose={() => setMaking(false)}
          onMade={async (team) => {
            await load();
            setMaking(false);
            setOpenId(team.id);
          }}
        />
      ) : null}
      {open === undefined ? null : <TeamDialog team={open} onChanged={load} onClose={() => setOpenId(null)} />}
    </section>
  );
}

interface NewTeamProps {
  readonly onClose: () => void;
  readonly onMade: (team: Team) => Promise<void>;
}

function NewTeam({ onClose, onMade }: NewTeamProps) {
  const { api } = useChat();
  // One for the dialog: whatever became of the first try, the next one makes nothing twice.
  const [clientId] = useState(newId);
  return (
    <Dialog title="New team" onClose={onClose}>
      <p className="muted">Add a team to a room, and all of its people are in it, those who join the team later as well.</p>
      <NameForm
        label="Team name"
        action="Create team"
        onSubmit={async (name) => onMade(await api.createTeam({ name, client_id: clientId }))}
      />
    </Dialog>
  );
}
