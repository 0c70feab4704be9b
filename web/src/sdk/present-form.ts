/** What edits and deletions make of the messages that are here. Pure. */
import { isChange, type DurableEvent, type MessageChange } from "./events";
import type { Message } from "./types";

/**
 * The entries with what `news` says of their messages; the same array when it says nothing of them. A message that is
 * not here is left: its page tells it in its present form.
 */
export function inPresentForm(entries: readonly DurableEvent[], news: readonly DurableEvent[]): readonly DurableEvent[] {
  const changes = news.filter(isChange);
  if (changes.length === 0) return entries;
  const byMessage = new Map<string, MessageChange[]>();
  for (const change of changes) byMessage.set(change.message_id, [...(byMessage.get(change.message_id) ?? []), change]);
  const formed = entries.map((event) => {
    if (event.type !== "message.posted") return event;
    const message = (byMessage.get(event.message.id) ?? []).reduce(after, event.message);
    return message === event.message ? event : { ...event, message };
  });
  return formed.some((event, index) => event !== entries[index]) ? formed : entries;
}

function after(message: Message, change: MessageChange): Message {
  if (message.deleted_at != null) return message;
  if (change.type === "message.deleted") return { ...message, content: "", parts: null, deleted_at: change.at };
  // Another edit or a deletion has followed, and that one says what the message is.
  if (change.content === undefined || change.edited_at === undefined) return message;
  // A page tells a message as it is by now, which may be a later form than an edit that lies in the same page.
  if (message.edited_at != null && Date.parse(message.edited_at) > Date.parse(change.edited_at)) return message;
  return { ...message, content: change.content, parts: change.parts ?? null, edited_at: change.edited_at };
}
