/**
 * The order of one room as this client has it: a window of its log without holes, ending at `lastSeq`.
 *
 * Pure: no sockets, no time. It takes events and pages and says what became visible and whether something is missing;
 * `room.ts` fetches what is missing. Invariant: `entries` are exactly the events firstSeq..lastSeq that the engine
 * showed us, in order, each once; messages among them are in the form that the events up to `lastSeq` gave them, or a
 * later one.
 */
import type { DurableEvent } from "./events";
import { inPresentForm } from "./present-form";

/** Events ahead of a gap that are kept until the gap is closed. Beyond it they are fetched again, not lost. */
const HELD_EVENTS_MAX = 500;

export interface Applied {
  /** What became part of the log just now, in order. */
  readonly events: readonly DurableEvent[];
  /** True when the room is known to be ahead of the log: fetch what comes after `lastSeq`. */
  readonly behind: boolean;
}

export interface LogPage {
  readonly events: readonly DurableEvent[];
  /** The room's last `seq` when the engine made this page. */
  readonly lastSeq: number;
  readonly more: boolean;
}

export class RoomLog {
  private window: readonly DurableEvent[] = [];
  private first: number;
  private last: number;
  /** The highest `seq` that anything has told us of. */
  private known: number;
  private readonly held = new Map<number, DurableEvent>();

  /** Starts following a room right after `lastSeq`. */
  constructor(lastSeq: number) {
    this.first = lastSeq + 1;
    this.last = lastSeq;
    this.known = lastSeq;
  }

  get lastSeq(): number {
    return this.last;
  }

  /** The `seq` of the oldest event in the window, or of the next one while the window is empty. */
  get firstSeq(): number {
    return this.first;
  }

  get entries(): readonly DurableEvent[] {
    return this.window;
  }

  get isBehind(): boolean {
    return this.known > this.last;
  }

  get hasOlder(): boolean {
    return this.first > 1;
  }

  /** An event from the socket: the next one, an old one again, or one from beyond a gap. */
  receive(event: DurableEvent): Applied {
    this.known = Math.max(this.known, event.seq);
    if (event.seq > this.last + 1) {
      if (this.held.size < HELD_EVENTS_MAX) this.held.set(event.seq, event);
      return this.applied([]);
    }
    return this.applied(event.seq === this.last + 1 ? this.append([event]) : []);
  }

  /** The engine replaced our backlog with this much. */
  lagged(lastSeq: number): Applied {
    this.known = Math.max(this.known, lastSeq);
    return this.applied([]);
  }

  /**
   * A page of what came after `lastSeq` as it was when the page was asked for. The page is the engine's word on what
   * there is: a `seq` that it leaves out is one that we shall never get, and waiting for it would stop the room.
   */
  catchUp(page: LogPage): Applied {
    this.known = Math.max(this.known, page.lastSeq);
    const fresh: DurableEvent[] = [];
    for (const event of page.events) {
      if (event.seq > this.last) fresh.push(...this.append([event]));
    }
    if (!page.more && page.lastSeq > this.last) {
      this.last = page.lastSeq;
      fresh.push(...this.append([]));
    }
    return this.applied(fresh);
  }

  /**
   * Puts older events in front: those between `after` and `before`, which was `firstSeq` when they were asked for.
   * When the window has been trimmed meanwhile they no longer touch it and are dropped.
   */
  prepend(events: readonly DurableEvent[], after: number, before: number): void {
    if (before !== this.first) return;
    const older = events.filter((event) => event.seq > after && event.seq < this.first);
    const window = [...older, ...this.window];
    // The page may have been made before a change that we have by now.
    this.window = inPresentForm(window, window);
    this.first = Math.min(this.first, after + 1);
  }

  /** Lets the oldest events go when nobody looks at them; they can be fetched again. */
  trim(eventsMax: number): void {
    if (this.window.length <= eventsMax) return;
    this.window = this.window.slice(-eventsMax);
    this.first = this.window[0]?.seq ?? this.last + 1;
  }

  /** The link is gone. What we held comes again, because we resume from `lastSeq`. */
  forgetHeld(): void {
    this.held.clear();
    this.known = this.last;
  }

  /** Appends events and whatever held event then follows without a hole. */
  private append(events: readonly DurableEvent[]): DurableEvent[] {
    const fresh = [...events];
    this.last = fresh.at(-1)?.seq ?? this.last;
    for (let next = this.held.get(this.last + 1); next !== undefined; next = this.held.get(this.last + 1)) {
      fresh.push(next);
      this.last = next.seq;
    }
    for (const seq of this.held.keys()) {
      if (seq <= this.last) this.held.delete(seq);
    }
    if (fresh.length > 0) this.window = inPresentForm([...this.window, ...fresh], fresh);
    return fresh;
  }

  private applied(events: readonly DurableEvent[]): Applied {
    return { events, behind: this.isBehind };
  }
}
