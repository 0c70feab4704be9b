import { useState } from "react";
import { AccountDialog } from "../account/AccountDialog";
import { useChat, useClient, useDrafts } from "../context";
import { personName } from "../names";
import { goToRoom } from "../route";
import { Avatar } from "../ui/Avatar";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";

/** Who is signed in, and the way out. */
export function Me() {
  const client = useClient();
  const { me, outbox } = useChat();
  const drafts = useDrafts();
  const [unsent, setUnsent] = useState(0);
  const [showsAccount, setShowsAccount] = useState(false);

  const signOut = () => {
    drafts.forget();
    goToRoom(null, "replace");
    void client.logout();
  };
  const ask = () => {
    const waiting = [...outbox.entries.get(), ...outbox.changes.get()].filter((entry) => entry.state !== "sent").length;
    if (waiting === 0) signOut();
    else setUnsent(waiting);
  };

  return (
    <footer className="me">
      <button type="button" className="me-button" title="Your account" onClick={() => setShowsAccount(true)}>
        <Avatar id={me.id} name={personName(me)} size={34} />
        <span className="me-text">
          <bdi className="me-name">{personName(me)}</bdi>
          <span className="muted">@{me.username}</span>
        </span>
        <span className="visually-hidden">Your account</span>
      </button>
      <button type="button" className="icon-button" aria-label="Sign out" title="Sign out" onClick={ask}>
        <Icon name="sign-out" />
      </button>
      {showsAccount ? <AccountDialog onClose={() => setShowsAccount(false)} /> : null}
      {unsent === 0 ? null : (
        <Dialog title="Sign out?" onClose={() => setUnsent(0)}>
          <p>
            {unsent === 1 ? "One message has" : `${unsent} messages have`} not been sent yet and would be lost.
          </p>
          <div className="dialog-actions">
            <button type="button" className="button" onClick={() => setUnsent(0)}>
              Stay
            </button>
            <button type="button" className="button button-danger" onClick={signOut}>
              Sign out anyway
            </button>
          </div>
        </Dialog>
      )}
    </footer>
  );
}
