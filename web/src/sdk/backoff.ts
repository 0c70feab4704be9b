import type { Clock } from "./clock";

export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Exponential back-off with full jitter: a delay anywhere between nothing and the current ceiling. Equal delays would
 * bring every client back in the same instant after a restart of the engine.
 */
export class Backoff {
  private attempts = 0;

  constructor(
    private readonly clock: Clock,
    private readonly options: BackoffOptions,
  ) {}

  get attempt(): number {
    return this.attempts;
  }

  nextMs(): number {
    const ceiling = Math.min(this.options.capMs, this.options.baseMs * 2 ** this.attempts);
    this.attempts += 1;
    return Math.floor(this.clock.random() * ceiling);
  }

  reset(): void {
    this.attempts = 0;
  }
}
