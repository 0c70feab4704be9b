/** Telling frames apart: durable events of a room, the rest, and answers to commands. */
import type { FrameOf, Message, Party, ServerFrame } from "./types";

export type MessagePosted = FrameOf<"message.posted">;
export type MessageEdited = FrameOf<"message.edited">;
export type MessageDeleted = FrameOf<"message.deleted">;
/** Says what became of a message: it shows in the message and has no line of its own. */
export type MessageChange = MessageEdited | MessageDeleted;
export type MemberAdded = FrameOf<"member.added">;
export type MemberRemoved = FrameOf<"member.removed">;
export type MemberRoleChanged = FrameOf<"member.role_changed">;
export type RoomUpdated = FrameOf<"room.updated">;

/**
 * A durable event of a kind that this client does not know. It still takes its place in the room's order: skipping it
 * would look like a gap for ever.
 */
export interface UnknownEvent {
  readonly type: `unknown:${string}`;
  readonly room_id: string;
  readonly seq: number;
  /** The frame as it came. */
  readonly payload: Readonly<Record<string, unknown>>;
}

export type KnownEvent = MessagePosted | MessageChange | MemberAdded | MemberRemoved | MemberRoleChanged | RoomUpdated;
/** A change of a room that took a `seq` of its own. */
export type DurableEvent = KnownEvent | UnknownEvent;

const KNOWN: ReadonlySet<string> = new Set<KnownEvent["type"]>([
  "message.posted",
  "message.edited",
  "message.deleted",
  "member.added",
  "member.removed",
  "member.role_changed",
  "room.updated",
]);

/** The frame as a durable event, or null when it is something else. */
export function asDurable(frame: unknown): DurableEvent | null {
  if (typeof frame !== "object" || frame === null) return null;
  const { type, room_id, seq, re } = frame as Partial<Record<"type" | "room_id" | "seq" | "re", unknown>>;
  if (typeof type !== "string" || typeof room_id !== "string" || typeof seq !== "number" || re != null) return null;
  if (KNOWN.has(type)) return frame as KnownEvent;
  return { type: `unknown:${type}`, room_id, seq, payload: frame as Record<string, unknown> };
}

/** What is read from the socket is checked as far as routing needs; the rest is the server's word. */
export function parseFrame(text: string): ServerFrame | null {
  try {
    const frame: unknown = JSON.parse(text);
    if (typeof frame === "object" && frame !== null && "type" in frame && typeof frame.type === "string") {
      return frame as ServerFrame;
    }
  } catch {
    // Not JSON: as useless as a frame without a type.
  }
  return null;
}

export function isChange(event: DurableEvent): event is MessageChange {
  return event.type === "message.edited" || event.type === "message.deleted";
}

export function isOwn(message: Message, userId: string): boolean {
  return message.sender.type === "user" && message.sender.id === userId;
}

/** The people whom an event about members is about: one, or those who are here with a team. */
export function peopleOf(event: MemberAdded | MemberRemoved | MemberRoleChanged): readonly string[] {
  const { user_id: one } = event.type === "member.added" ? event.member : event;
  return one == null ? (event.people ?? []) : [one];
}

/** The party that is no person, of an event about members. */
export function partyOf(event: MemberAdded | MemberRemoved | MemberRoleChanged): Party | null {
  return (event.type === "member.added" ? event.member.party : event.party) ?? null;
}
