/** What can go wrong, as types that a caller can act on. */
import type { Retry } from "./types";

/** An HTTP call that the engine refused (RFC 9457), or that never reached it (`status` 0, `code` "network"). */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    /** Stable across versions, such as `chat.not_a_member`. */
    readonly code: string,
    readonly detail: string,
    readonly retryAfterMs: number | null = null,
  ) {
    super(detail);
    this.name = "ProblemError";
  }

  /** Whether the engine answered at all. */
  get reached(): boolean {
    return this.status !== 0;
  }
}

/** A command over the socket that the engine answered with `error`. */
export class CommandError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly retry: Retry,
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
    this.name = "CommandError";
  }
}

/** The socket went away, or the answer did not come in time. Whether the command took effect is unknown. */
export class LinkLost extends Error {
  constructor() {
    super("The connection to the server was lost.");
    this.name = "LinkLost";
  }
}

/** There is no session any more: sign in again. */
export class SignedOut extends Error {
  constructor() {
    super("You are signed out.");
    this.name = "SignedOut";
  }
}

/** How long the engine asked to wait before the same is tried again; null when it did not say. */
export function retryAfterMs(error: unknown): number | null {
  return error instanceof ProblemError || error instanceof CommandError ? error.retryAfterMs : null;
}

/** What the engine says of its limits is for whoever writes a client; this is for whoever uses one. */
const LIMITS: Readonly<Record<string, string>> = {
  "limits.messages": "You are writing faster than this account may.",
  "limits.bytes": "You are writing more text at once than this account may.",
  "limits.rooms": "You have made as many rooms and spaces as you may for now.",
  "limits.people": "You have added as many people as you may for now.",
  "limits.sockets": "You are connected on as many devices and pages as you may. Close one, or wait.",
};

/** A sentence for a person. */
export function describe(error: unknown): string {
  const limit = error instanceof ProblemError || error instanceof CommandError ? LIMITS[error.code] : undefined;
  if (limit !== undefined) return limit;
  if (error instanceof Error && error.message !== "") return error.message;
  return "Something went wrong.";
}
