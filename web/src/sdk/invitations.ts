/**
 * Who asks us in and waits for an answer, and whom we asked. Where strangers may be added at once both stay empty.
 *
 * The engine says that an invitation came or was answered, here or on another device; what it says is read anew.
 */
import type { Api } from "./api";
import { ProblemError } from "./errors";
import { Reload } from "./reload";
import { Store } from "./store";
import type { Invitation, InvitationUpdated } from "./types";
import type { People } from "./people";

export class Invitations {
  /** Newest first. */
  readonly list = new Store<readonly Invitation[]>([]);
  /** By room, whom we asked while this page is open. */
  readonly asked = new Store<ReadonlyMap<string, readonly string[]>>(new Map());
  private readonly reloading: Reload;

  constructor(
    private readonly api: Pick<Api, "invitations" | "acceptInvitation" | "declineInvitation">,
    people: People,
  ) {
    this.reloading = new Reload(async () => {
      const invitations = await this.api.invitations();
      people.learn(invitations.map((invitation) => invitation.inviter));
      this.list.set(invitations.filter((invitation) => invitation.state === "pending"));
    });
  }

  reload(): Promise<void> {
    return this.reloading.now();
  }

  onUpdated({ id, state }: InvitationUpdated): void {
    if (state === "pending") void this.reload();
    else this.drop(id);
  }

  accept(id: string): Promise<void> {
    return this.answer(id, () => this.api.acceptInvitation(id));
  }

  decline(id: string): Promise<void> {
    return this.answer(id, () => this.api.declineInvitation(id));
  }

  /** These people were asked into a room of ours, and are not in it yet. */
  noteAsked(roomId: string, userIds: readonly string[]): void {
    if (userIds.length === 0) return;
    this.asked.update((before) => {
      const all = new Set([...(before.get(roomId) ?? []), ...userIds]);
      return new Map(before).set(roomId, [...all]);
    });
  }

  private async answer(id: string, send: () => Promise<unknown>): Promise<void> {
    try {
      await send();
    } catch (error) {
      // Revoked, too old, or answered on another device: there is nothing to answer any more.
      if (error instanceof ProblemError && error.status === 404) this.drop(id);
      throw error;
    }
    this.drop(id);
  }

  private drop(id: string): void {
    this.list.update((list) => list.filter((invitation) => invitation.id !== id));
  }
}
