/** Which buttons make sense for a role. Only a courtesy: the engine decides, and says so when it does not agree. */
import type { Role, RoomInfo } from "../../sdk";

/** A room or a space, as one member of it sees it. */
export interface Place {
  readonly kind: RoomInfo["kind"] | "space";
  readonly role?: Role | null;
}

const RANKS: Record<Role, number> = { guest: 0, member: 1, admin: 2, owner: 3 };

/** A room with what we may do there: who runs a space acts in each of its channels as an owner does. */
export function placeOf(info: RoomInfo, roleInSpace: Role | null): Place {
  const runsSpace = info.kind === "channel" && roleInSpace !== null && RANKS[roleInSpace] >= RANKS.admin;
  return { kind: info.kind, role: runsSpace ? "owner" : (info.role ?? null) };
}

function atLeast(place: Place, role: Role): boolean {
  return place.kind !== "direct" && place.role != null && RANKS[place.role] >= RANKS[role];
}

export function mayDescribe(place: Place): boolean {
  return atLeast(place, "admin");
}

export function mayAdd(place: Place): boolean {
  return atLeast(place, "member");
}

/** Admins act on members and guests, owners on everybody. */
export function mayManage(place: Place, target: Role): boolean {
  if (place.role === "owner") return place.kind !== "direct";
  return atLeast(place, "admin") && RANKS[target] < RANKS.admin;
}

/** Who moderates deletes what others wrote, and sees what messages were before. */
export function mayModerate(place: Place): boolean {
  return atLeast(place, "admin");
}

/** Of somebody who is not here any more there is no role. */
export function mayDelete(place: Place, own: boolean, author: Role | null): boolean {
  return own || (mayModerate(place) && (author === null || mayManage(place, author)));
}

/** The roles that we may give to somebody. */
export function givableRoles(place: Place): readonly Role[] {
  return place.role === "owner" ? ["owner", "admin", "member", "guest"] : ["member", "guest"];
}
