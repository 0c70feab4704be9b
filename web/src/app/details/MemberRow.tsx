import type { Role, User } from "../../sdk";
import { useChat } from "../context";
import { personName } from "../names";
import { PersonAvatar } from "../ui/Avatar";
import { Icon } from "../ui/Icon";
import { givableRoles, mayManage, type Place } from "./permissions";

interface MemberRowProps {
  readonly place: Place;
  readonly user: User;
  readonly role: Role;
  readonly busy: boolean;
  /** An owner may step down, once there is another one. */
  readonly mayStepDown?: boolean;
  /** The team with which they are here: they go with it, and not without. */
  readonly withTeam?: string | undefined;
  readonly onRole: (role: Role) => void;
  readonly onRemove: () => void;
}

/** Somebody in a room or a space: who they are, what they may do, and what we may do about it. */
export function MemberRow({ place, user, role, busy, mayStepDown = false, withTeam, onRole, onRemove }: MemberRowProps) {
  const { me } = useChat();
  const own = user.id === me.id;
  const name = personName(user);
  // Read out, a name alone may be that of two people.
  const spoken = `${name}, @${user.username}`;
  return (
    <li className="member">
      <PersonAvatar user={user} size={34} />
      <span className="member-name">
        <span>
          <bdi>{name}</bdi>
          {own ? <span className="muted"> (you)</span> : null}
        </span>
        <span className="muted">
          @{user.username}
          {withTeam === undefined ? null : <> · with <bdi>{withTeam}</bdi></>}
        </span>
      </span>
      {mayManage(place, role) && (!own || mayStepDown) ? (
        <select
          className="role-select"
          aria-label={`Role of ${spoken}`}
          disabled={busy}
          value={role}
          onChange={(event) => onRole(event.target.value as Role)}
        >
          {givableRoles(place).map((given) => (
            <option key={given} value={given}>
              {given}
            </option>
          ))}
        </select>
      ) : (
        <span className="role">{role}</span>
      )}
      {mayManage(place, role) && !own && withTeam === undefined ? (
        <button
          type="button"
          className="icon-button icon-button-small"
          aria-label={`Remove ${spoken}`}
          title="Remove"
          disabled={busy}
          onClick={onRemove}
        >
          <Icon name="close" size={16} />
        </button>
      ) : null}
    </li>
  );
}
