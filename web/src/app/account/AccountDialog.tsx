import { useState } from "react";
import { useChat } from "../context";
import { personName } from "../names";
import { Avatar } from "../ui/Avatar";
import { Dialog } from "../ui/Dialog";
import { ChangePassword } from "./ChangePassword";
import { Devices } from "./Devices";

/** One's own account: the password, and where one is signed in. */
export function AccountDialog({ onClose }: { readonly onClose: () => void }) {
  const { me } = useChat();
  const [round, setRound] = useState(0);
  return (
    <Dialog title="Your account" onClose={onClose}>
      <div className="account-who">
        <Avatar id={me.id} name={personName(me)} size={52} />
        <div className="me-text">
          <bdi className="me-name">{personName(me)}</bdi>
          <span className="muted">@{me.username}</span>
          {me.email == null ? null : <span className="muted">{me.email}</span>}
        </div>
      </div>
      <Devices key={round} />
      {/* Whoever comes from another issuer has no password here. */}
      {me.email == null ? null : <ChangePassword onChanged={() => setRound((before) => before + 1)} />}
    </Dialog>
  );
}
