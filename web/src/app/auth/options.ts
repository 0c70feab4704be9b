import { useEffect, useState } from "react";
import type { AuthOptions } from "../../sdk";
import { useClient } from "../context";

/** When the engine cannot be asked, everything is offered: it says itself what it refuses. */
const UNKNOWN: AuthOptions = { registration: true, password_chars_min: 0 };

/** What this engine offers to whoever is not signed in; null until it has said so. */
export function useAuthOptions(): AuthOptions | null {
  const { api } = useClient();
  const [options, setOptions] = useState<AuthOptions | null>(null);
  useEffect(() => {
    let wanted = true;
    api.options().then(
      (found) => wanted && setOptions(found),
      () => wanted && setOptions(UNKNOWN),
    );
    return () => {
      wanted = false;
    };
  }, [api]);
  return options;
}

export function passwordHint(options: AuthOptions | null): string {
  const least = options?.password_chars_min ?? 0;
  return least === 0 ? "Several words make a good one." : `At least ${least} characters. Several words make a good one.`;
}
