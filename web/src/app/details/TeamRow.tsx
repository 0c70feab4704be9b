import type { Role } from "../../sdk";
import { Avatar } from "../ui/Avatar";
import { Icon } from "../ui/Icon";
import { givableRoles, mayManage, type Place } from "./permissions";

interface TeamRowProps {
  readonly place: Place;
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly busy: boolean;
  readonly onRole: (role: Role) => void;
  readonly onRemove: () => void;
}

/** A team in a room: its role is that of all who are here with it, and it goes with them. */
export function TeamRow({ place, id, name, role, busy, onRole, onRemove }: TeamRowProps) {
  const manages = mayManage(place, role);
  return (
    <li className="member">
      <Avatar id={id} name={name} kind="group" size={34} />
      <span className="member-name">
        <span>
          <bdi>{name}</bdi> <span className="badge-team">Team</span>
        </span>
      </span>
      {manages ? (
        <select
          className="role-select"
          aria-label={`Role of the team ${name}`}
          disabled={busy}
          value={role}
          onChange={(event) => onRole(event.target.value as Role)}
        >
          {givableRoles(place)
            // A room is owned by people.
            .filter((given) => given !== "owner")
            .map((given) => (
              <option key={given} value={given}>
                {given}
              </option>
            ))}
        </select>
      ) : (
        <span className="role">{role}</span>
      )}
      {manages ? (
        <button
          type="button"
          className="icon-button icon-button-small"
          aria-label={`Remove the team ${name}`}
          title="Remove the team with its people"
          disabled={busy}
          onClick={onRemove}
        >
          <Icon name="close" size={16} />
        </button>
      ) : null}
    </li>
  );
}
