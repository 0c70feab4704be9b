/** Which buttons make sense for a role. Only a courtesy: the engine decides, and says so when it does not agree. */
import type { Role, RoomInfo } from "../../sdk";

const RANKS: Record<Role, number> = { guest: 0, member: 1, admin: 2, owner: 3 };

function atLeast(info: RoomInfo, role: Role): boolean {
  return info.kind !== "direct" && info.role != null && RANKS[info.role] >= RANKS[role];
}

export function mayDescribe(info: RoomInfo): boolean {
  return atLeast(info, "admin");
}

export function mayAdd(info: RoomInfo): boolean {
  return atLeast(info, "member");
}

/** Admins act on members and guests, owners on everybody. */
export function mayManage(info: RoomInfo, target: Role): boolean {
  if (info.role === "owner") return info.kind !== "direct";
  return atLeast(info, "admin") && RANKS[target] < RANKS.admin;
}

/** The roles that we may give to somebody. */
export function givableRoles(info: RoomInfo): readonly Role[] {
  return info.role === "owner" ? ["owner", "admin", "member", "guest"] : ["member", "guest"];
}
