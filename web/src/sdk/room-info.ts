/** What one event does to the summary of a room: name, counts, roles. Pure. */
import { isOwn, partyOf, peopleOf, type DurableEvent, type MemberAdded, type MemberRemoved } from "./events";
import type { RoomInfo } from "./types";

export function applyToInfo(before: RoomInfo, event: DurableEvent, me: string): RoomInfo {
  const at = timeOf(event);
  const info = { ...before, last_seq: event.seq, ...(at === null ? {} : { last_message_at: at }) };
  switch (event.type) {
    case "message.posted": {
      const counts = !isOwn(event.message, me) && event.seq > info.read_seq;
      return { ...info, unread: info.unread + (counts ? 1 : 0) };
    }
    case "member.added":
      return { ...info, member_count: info.member_count + countOf(event) };
    case "member.removed": {
      // Their team went, and they are what another one of theirs is.
      const staying = event.stay?.find((one) => one.user_id === me);
      const role = staying === undefined ? {} : { role: staying.role };
      return { ...info, member_count: Math.max(0, info.member_count - countOf(event)), ...role };
    }
    case "member.role_changed":
      return { ...info, ...(peopleOf(event).includes(me) ? { role: event.role } : {}) };
    case "room.updated":
      return {
        ...info,
        ...(event.name === undefined ? {} : { name: event.name ?? "" }),
        ...(event.topic === undefined ? {} : { topic: event.topic ?? "" }),
      };
    default:
      return info;
  }
}

/** How many come or go: a team is no one more, its people are. */
function countOf(event: MemberAdded | MemberRemoved): number {
  const party = partyOf(event);
  return party === null || party.type === "team" ? peopleOf(event).length : 1;
}

/** The room's last activity is its last event of any kind, as the engine counts it. */
function timeOf(event: DurableEvent): string | null {
  if (event.type === "message.posted") return event.message.created_at;
  return "at" in event ? event.at : null;
}

/** The summary once everything up to `readSeq` has been read; `entries` are the events that we hold. */
export function applyRead(info: RoomInfo, readSeq: number, entries: readonly DurableEvent[], me: string): RoomInfo {
  if (readSeq <= info.read_seq) return info;
  const read = { ...info, read_seq: readSeq, delivered_seq: Math.max(info.delivered_seq, readSeq) };
  if (readSeq >= info.last_seq) return { ...read, unread: 0 };
  const firstHeld = entries[0]?.seq ?? info.last_seq + 1;
  if (firstHeld > readSeq + 1) {
    // We do not hold everything that is unread; this bound is right unless some of it is our own.
    return { ...read, unread: Math.min(info.unread, info.last_seq - readSeq) };
  }
  const unread = entries.filter(
    (event) => event.seq > readSeq && event.type === "message.posted" && !isOwn(event.message, me),
  );
  return { ...read, unread: unread.length };
}
