/** Reads something whole, one reading at a time; asked for meanwhile, it reads once more, so that nothing old stays. */
export class Reload {
  private running = false;
  private wanted = false;

  constructor(private readonly read: () => Promise<void>) {}

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
