import type { Cancel, Clock } from "../clock";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Time that moves only when a test says so. */
export class ManualClock implements Clock {
  /** What `random` gives; near 1 makes jittered delays as long as they can be. */
  chance = 0.5;
  private time = 1_000_000;
  private readonly timers = new Set<Timer>();

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): Cancel {
    const timer: Timer = { at: this.time + ms, run };
    this.timers.add(timer);
    return () => {
      this.timers.delete(timer);
    };
  }

  random(): number {
    return this.chance;
  }

  /** Runs everything that falls due within `ms`, in order, letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settled();
    for (;;) {
      const next = [...this.timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.run();
      await settled();
    }
    this.time = end;
  }
}

/** Waits until promises that are ready to go on have gone on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}
