/**
 * Tells the engine how far we have received and read, a few times a second at most however fast messages come.
 * Marks only grow, so the newest one of a room replaces those before it, and one that was lost is simply sent again.
 */
import type { Cancel, Clock } from "./clock";
import { CommandError } from "./errors";
import type { AnswerTo, Command } from "./types";

export interface Link {
  readonly isOnline: boolean;
  request<C extends Command>(command: C): Promise<AnswerTo<C>>;
}

interface Marks {
  readonly delivered: number;
  readonly read: number;
}

const COALESCE_MS = 300;

export class Receipts {
  private readonly pending = new Map<string, Marks>();
  private timer: Cancel | null = null;

  constructor(
    private readonly link: Link,
    private readonly clock: Clock,
  ) {}

  delivered(roomId: string, seq: number): void {
    this.raise(roomId, { delivered: seq, read: 0 });
  }

  /** Reading implies that it was delivered. */
  read(roomId: string, seq: number): void {
    this.raise(roomId, { delivered: seq, read: seq });
  }

  /** The room, or with none every room, is read anew: marks by its old numbers mean nothing. */
  forget(roomId?: string): void {
    if (roomId === undefined) this.pending.clear();
    else this.pending.delete(roomId);
  }

  /** The link is up: send what waited for it. */
  resume(): void {
    if (this.pending.size > 0) this.schedule();
  }

  stop(): void {
    this.timer?.();
    this.timer = null;
  }

  private raise(roomId: string, marks: Marks): void {
    const before = this.pending.get(roomId) ?? { delivered: 0, read: 0 };
    this.pending.set(roomId, {
      delivered: Math.max(before.delivered, marks.delivered),
      read: Math.max(before.read, marks.read),
    });
    this.schedule();
  }

  private schedule(): void {
    this.timer ??= this.clock.after(COALESCE_MS, () => {
      this.timer = null;
      this.flush();
    });
  }

  private flush(): void {
    if (!this.link.isOnline) return;
    for (const [roomId, marks] of this.pending) {
      this.pending.delete(roomId);
      void this.send(roomId, marks);
    }
  }

  private async send(roomId: string, marks: Marks): Promise<void> {
    try {
      await this.link.request({
        type: "receipt.mark",
        room_id: roomId,
        delivered_seq: marks.delivered,
        ...(marks.read > 0 ? { read_seq: marks.read } : {}),
      });
    } catch (error) {
      // A room that we have left takes no marks; anything else is worth another try.
      if (error instanceof CommandError && error.retry === "never") return;
      this.raise(roomId, marks);
    }
  }
}
