/** Events and rooms with everything filled in that a test does not care about. */
import type { DurableEvent, MessagePosted } from "../events";
import type { RoomInfo } from "../types";

export const ROOM = "0190a000-0000-7000-8000-000000000001";
export const ME = "0190a000-0000-7000-8000-0000000000aa";
export const OTHER = "0190a000-0000-7000-8000-0000000000bb";

export function posted(seq: number, extra: { from?: string; clientId?: string; content?: string } = {}): MessagePosted {
  return {
    type: "message.posted",
    room_id: ROOM,
    seq,
    message: {
      id: `message-${seq}`,
      room_id: ROOM,
      seq,
      sender: { type: "user", id: extra.from ?? OTHER },
      kind: "text",
      content: extra.content ?? `message ${seq}`,
      ...(extra.clientId === undefined ? {} : { client_id: extra.clientId }),
      created_at: "2030-01-01T00:00:00Z",
    },
  };
}

export function room(extra: Partial<RoomInfo> = {}): RoomInfo {
  return {
    id: ROOM,
    kind: "group",
    name: "Team",
    role: "member",
    last_seq: 0,
    read_seq: 0,
    delivered_seq: 0,
    unread: 0,
    member_count: 2,
    created_at: "2030-01-01T00:00:00Z",
    ...extra,
  };
}

export function seqs(events: readonly DurableEvent[]): number[] {
  return events.map((event) => event.seq);
}
