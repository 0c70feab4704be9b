/** What somebody began to write, per room: kept across switching rooms and reloads, gone with sign-out. */
import type { KeyValueStore } from "../sdk";

export class Drafts {
  private readonly prefix: string;

  constructor(
    private readonly storage: KeyValueStore,
    userId: string,
  ) {
    this.prefix = `parlance.draft.${userId}.`;
  }

  read(roomId: string): string {
    return this.storage.get(this.prefix + roomId) ?? "";
  }

  write(roomId: string, text: string): void {
    try {
      if (text === "") this.storage.remove(this.prefix + roomId);
      else this.storage.set(this.prefix + roomId, text);
    } catch {
      // Nothing takes it: the text is still in the field, which is all a draft promises.
    }
  }

  forget(): void {
    for (const key of this.storage.keys(this.prefix)) this.storage.remove(key);
  }
}
