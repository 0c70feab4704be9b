/** What waits to be sent, messages and changes of them, in storage: one key each, shared by all tabs of one person. */
import type { KeyValueStore } from "./storage";
import type { Message } from "./types";

export type OutboxItem = PostItem | ChangeItem;

interface Stored {
  /** Made before the first try and kept for all others, so that the engine recognises a message sent twice. */
  readonly clientId: string;
  readonly roomId: string;
  /** Milliseconds since the epoch, made to rise within one person's outbox: the order in which it is sent. */
  readonly order: number;
  /** Set when the engine said that it will never take this. */
  readonly failure?: string;
}

export interface PostItem extends Stored {
  readonly content: string;
}

/** An edit or a deletion. It has no `content` of its own: a page of an older client would send that as a message. */
export interface ChangeItem extends Stored {
  readonly messageId: string;
  /** What the message says from now on; null deletes it. */
  readonly becomes: Pick<Message, "content" | "parts"> | null;
}

export function isPost(item: OutboxItem): item is PostItem {
  return !("messageId" in item);
}

export class OutboxStore {
  private readonly prefix: string;

  constructor(
    private readonly storage: KeyValueStore,
    userId: string,
  ) {
    this.prefix = `parlance.outbox.${userId}.`;
  }

  /** In sending order. */
  all(): OutboxItem[] {
    return this.storage
      .keys(this.prefix)
      .map((key) => this.get(key.slice(this.prefix.length)))
      .filter((item) => item !== null)
      .sort((a, b) => a.order - b.order || (a.clientId < b.clientId ? -1 : 1));
  }

  /** The next one to send to a room. Failed ones stand aside: one bad message must not stop the room. */
  head(roomId: string): OutboxItem | undefined {
    return this.all().find((item) => item.roomId === roomId && item.failure === undefined);
  }

  get(clientId: string): OutboxItem | null {
    const item = parseItem(this.storage.get(this.prefix + clientId));
    // One that does not lie under its own key could never be removed, and would be sent for ever.
    return item?.clientId === clientId ? item : null;
  }

  put(item: OutboxItem): void {
    this.storage.set(this.prefix + item.clientId, JSON.stringify(item));
  }

  remove(clientId: string): void {
    this.storage.remove(this.prefix + clientId);
  }

  /** Calls back when another tab added, changed or removed one. */
  onChange(listener: () => void): () => void {
    return this.storage.onChange((key) => {
      if (key === null || key.startsWith(this.prefix)) listener();
    });
  }
}

function parseItem(text: string | null): OutboxItem | null {
  if (text === null) return null;
  try {
    const item = JSON.parse(text) as Partial<PostItem & ChangeItem>;
    const complete =
      typeof item.clientId === "string" &&
      typeof item.roomId === "string" &&
      typeof item.order === "number" &&
      (typeof item.content === "string" || isCompleteChange(item));
    return complete ? (item as OutboxItem) : null;
  } catch {
    return null;
  }
}

function isCompleteChange({ messageId, becomes }: Partial<ChangeItem>): boolean {
  return typeof messageId === "string" && (becomes === null || typeof becomes?.content === "string");
}
