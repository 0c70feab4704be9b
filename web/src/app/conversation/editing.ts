/** Which messages can be edited, and what stands in the field then. Pure. */
import { isOwn, type ChangeEntry, type DurableEvent, type Message } from "../../sdk";

export function isEditable(message: Message, me: string, change: ChangeEntry | null): boolean {
  return isOwn(message, me) && message.kind === "text" && !isGone(message, change);
}

/** It is deleted, or about to be. */
export function isGone(message: Message, change: ChangeEntry | null): boolean {
  return message.deleted_at != null || (change?.becomes === null && change.state !== "failed");
}

/** The latest change of each message in a room that is not done yet. */
export function changesIn(roomId: string, changes: readonly ChangeEntry[]): ReadonlyMap<string, ChangeEntry> {
  return new Map(changes.filter((change) => change.roomId === roomId).map((change) => [change.messageId, change]));
}

/** Our newest message that is here and can be edited. */
export function lastEditable(
  entries: readonly DurableEvent[],
  me: string,
  changes: ReadonlyMap<string, ChangeEntry>,
): Message | null {
  const last = entries.findLast(
    (event) =>
      event.type === "message.posted" && isEditable(event.message, me, changes.get(event.message.id) ?? null),
  );
  return last?.type === "message.posted" ? last.message : null;
}

/** What the message says, or will say once our change of it is done; a change that failed is there to be corrected. */
export function textToEdit(message: Message, change: ChangeEntry | null): string {
  return change?.becomes?.content ?? message.content;
}
