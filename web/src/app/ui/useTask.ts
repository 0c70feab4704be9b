import { useCallback, useState } from "react";
import { describe, retryAfterMs } from "../../sdk";

export interface Task {
  readonly busy: boolean;
  readonly error: unknown;
  /** What went wrong, as a sentence. */
  readonly message: string | null;
  /** When the engine said that it may be tried again, in milliseconds since the epoch. */
  readonly retryAt: number | null;
  /** True when it went well. */
  readonly run: (task: () => Promise<unknown>) => Promise<boolean>;
}

interface Failure {
  readonly error: unknown;
  readonly retryAt: number | null;
}

/** One request at a time, with its state for the page: is it running, and what went wrong. */
export function useTask(): Task {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const run = useCallback(async (task: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setFailure(null);
    try {
      await task();
      return true;
    } catch (error) {
      const waitMs = retryAfterMs(error);
      setFailure({ error, retryAt: waitMs === null ? null : Date.now() + waitMs });
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  const message = failure === null ? null : describe(failure.error);
  return { busy, error: failure?.error ?? null, message, retryAt: failure?.retryAt ?? null, run };
}
