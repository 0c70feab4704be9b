/** What people and rooms are called, and how they look without a picture. */
import { shownName, type RoomInfo } from "../sdk";

export const personName = shownName;

/**
 * A name within a sentence that is no element, such as a title: its direction ends with it. Where there is markup,
 * `PersonName` and `RoomName` do it with `bdi`.
 */
export function isolated(name: string): string {
  return `\u2068${name}\u2069`;
}

export function roomName(room: Pick<RoomInfo, "kind"> & Partial<Pick<RoomInfo, "name" | "peer">>): string {
  if (room.peer != null) return personName(room.peer);
  const name = room.name?.trim() ?? "";
  if (name !== "") return name;
  return room.kind === "direct" ? "Direct message" : room.kind === "channel" ? "Channel" : "Group";
}

/** One or two letters, or what a name without letters begins with; no emoji is cut in half. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => word !== "");
  const letters = words.flatMap((word) => Array.from(word).find((character) => /[\p{L}\p{N}]/u.test(character)) ?? []);
  const first = letters[0] ?? Array.from(words[0] ?? "?")[0] ?? "?";
  return (first + (letters.length > 1 ? (letters.at(-1) ?? "") : "")).toUpperCase();
}

/** The same hue for the same id, everywhere. */
export function hueOf(id: string): number {
  let hash = 0;
  for (const character of id) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % 360;
}
