/** From a room's events to what the list shows: days, groups of messages, system lines. Pure. */
import { isChange, isOwn, type DurableEvent, type Message, type MessageChange } from "../../sdk";
import { isSameDay } from "../times";

type Shown = Exclude<DurableEvent, MessageChange | { readonly type: `unknown:${string}` }>;
export type SystemEvent = Exclude<Shown, { readonly type: "message.posted" }>;

export type Row =
  | { readonly kind: "day"; readonly key: string; readonly at: Date }
  | { readonly kind: "new"; readonly key: string }
  | {
      readonly kind: "message";
      readonly key: string;
      readonly message: Message;
      readonly at: Date;
      readonly own: boolean;
      /** The first of several that follow each other closely carries name and picture. */
      readonly leads: boolean;
    }
  /** What the engine itself says. */
  | { readonly kind: "notice"; readonly key: string; readonly message: Message; readonly at: Date }
  | { readonly kind: "system"; readonly key: string; readonly event: SystemEvent; readonly renamed: Renamed };

/** What a `room.updated` changed, as far as the events before it tell. */
export interface Renamed {
  readonly name: string | null;
  readonly topic: string | null;
}

/** A pause longer than this starts a new group. */
const GROUP_MS_MAX = 5 * 60_000;

export function rowsOf(entries: readonly DurableEvent[], me: string, readSeq: number): Row[] {
  const rows: Row[] = [];
  let previous: { readonly sender: string; readonly at: Date } | null = null;
  let day: Date | null = null;
  // What it was called before is not known; that it had no topic is the likelier guess.
  let described: Renamed = { name: null, topic: "" };
  let marked = false;
  for (const event of entries) {
    // What became of a message shows in the message.
    if (event.type.startsWith("unknown:") || isChange(event)) continue;
    const known = event as Shown;
    const at = new Date(known.type === "message.posted" ? known.message.created_at : known.at);
    if (day === null || !isSameDay(day, at)) {
      rows.push({ kind: "day", key: `day-${known.seq}`, at });
      previous = null;
    }
    day = at;
    if (known.type !== "message.posted") {
      const now = { name: textOf(known, "name"), topic: textOf(known, "topic") };
      const renamed = {
        name: now.name === described.name ? null : now.name,
        topic: now.topic === described.topic ? null : now.topic,
      };
      if (known.type === "room.updated") described = now;
      rows.push({ kind: "system", key: `seq-${known.seq}`, event: known, renamed });
      previous = null;
      continue;
    }
    const { message } = known;
    const own = isOwn(message, me);
    const sender = senderKey(message);
    if (!marked && !own && readSeq > 0 && known.seq > readSeq) {
      marked = true;
      previous = null;
      rows.push({ kind: "new", key: "new" });
    }
    if (message.sender.type === "system") {
      rows.push({ kind: "notice", key: `seq-${known.seq}`, message, at });
      previous = null;
      continue;
    }
    const leads = previous?.sender !== sender || at.getTime() - previous.at.getTime() > GROUP_MS_MAX;
    rows.push({ kind: "message", key: `seq-${known.seq}`, message, at, own, leads });
    previous = { sender, at };
  }
  return rows;
}

function senderKey({ sender }: Message): string {
  return `${sender.type}:${sender.id ?? ""}`;
}

function textOf(event: SystemEvent, field: "name" | "topic"): string | null {
  return event.type === "room.updated" ? (event[field] ?? "") : null;
}
