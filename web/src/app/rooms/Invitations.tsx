import type { Invitation } from "../../sdk";
import { useChat, useStore } from "../context";
import { personName } from "../names";
import { goToRoom } from "../route";
import { Avatar } from "../ui/Avatar";
import { TaskError } from "../ui/Field";
import { useTask } from "../ui/useTask";

/** Who asks us in. Nothing at all while nobody does. */
export function Invitations() {
  const { invitations } = useChat();
  const list = useStore(invitations.list);
  // The region stays, so that the first invitation is read out, too.
  if (list.length === 0) return <section aria-label="Invitations" aria-live="polite" />;
  return (
    <section className="invitations" aria-label="Invitations" aria-live="polite">
      <header className="section-head">
        <h2>Invitations</h2>
        <span className="badge">{list.length}</span>
      </header>
      <ul>
        {list.map((invitation) => (
          <InvitationCard key={invitation.id} invitation={invitation} />
        ))}
      </ul>
    </section>
  );
}

function InvitationCard({ invitation }: { readonly invitation: Invitation }) {
  const chat = useChat();
  const task = useTask();
  const { inviter } = invitation;
  const accept = () =>
    task.run(async () => {
      const room = await chat.accept(invitation);
      if (room !== undefined) goToRoom(room.id);
    });
  const decline = () => task.run(() => chat.invitations.decline(invitation.id));
  const from = personName(inviter);
  return (
    <li className="invitation">
      <Avatar id={inviter.id} name={from} size={34} />
      <div className="invitation-text">
        {/* A stranger: the shown name alone says little. */}
        <p>
          <strong>
            <bdi>{from}</bdi>
          </strong>{" "}
          <span className="handle">@{inviter.username}</span>
        </p>
        <p className="muted">
          <Wish invitation={invitation} />
        </p>
        <div className="invitation-actions">
          <button type="button" className="small-button small-button-primary" disabled={task.busy} onClick={() => void accept()}>
            Accept<span className="visually-hidden"> the invitation from {from}</span>
          </button>
          <button type="button" className="small-button" disabled={task.busy} onClick={() => void decline()}>
            Decline<span className="visually-hidden"> the invitation from {from}</span>
          </button>
        </div>
        <TaskError task={task} />
      </div>
    </li>
  );
}

const PLACES: Record<Exclude<Invitation["kind"], "direct">, string> = {
  group: "the group",
  channel: "the channel",
  space: "the space",
};

function Wish({ invitation: { kind, name } }: { readonly invitation: Invitation }) {
  if (kind === "direct") return <>would like to write to you.</>;
  return (
    <>
      invites you to {PLACES[kind]} <bdi>{name ?? ""}</bdi>.
    </>
  );
}
