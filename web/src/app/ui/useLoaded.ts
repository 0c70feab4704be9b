import { useCallback, useEffect, useState } from "react";
import { describe } from "../../sdk";

interface Loaded<T> {
  /** Null until the first answer. */
  readonly value: T | null;
  readonly problem: string | null;
  /** Reads again; what is shown stays meanwhile. */
  readonly load: () => Promise<void>;
}

/** What a dialog reads when it opens. `read` keeps its identity, or everything is read without end. */
export function useLoaded<T>(read: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<Pick<Loaded<T>, "value" | "problem">>({ value: null, problem: null });
  const load = useCallback(
    () =>
      read().then(
        (value) => setState({ value, problem: null }),
        (error: unknown) => setState((before) => ({ ...before, problem: describe(error) })),
      ),
    [read],
  );
  useEffect(() => void load(), [load]);
  return { ...state, load };
}
