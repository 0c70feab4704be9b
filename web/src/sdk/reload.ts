/** Reads something whole, one reading at a time; asked for meanwhile, it reads once more, so that nothing old stays. */
export class Reload {
  private running = false;
  private wanted = false;

  constructor(private readonly read: () => Promise<void>) {}

  /** What is being read now may be older than what is known: it is read once more. */
  again(): void {
    if (this.running) this.wanted = true;
  }

  /** Never fails: what is shown stays until the next chance. */
  async now(): Promise<void> {
    this.wanted = true;
    if (this.running) return;
    this.running = true;
    try {
      while (this.wanted) {
        this.wanted = false;
        await this.read();
      }
    } catch {
      this.wanted = false;
    } finally {
      this.running = false;
    }
  }
}
