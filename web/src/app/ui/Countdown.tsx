import { useEffect, useState } from "react";

/** Whole seconds until a moment, counted down while it is shown. */
export function useSecondsUntil(until: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 250);
    return () => window.clearInterval(timer);
  }, [until]);
  return Math.max(0, Math.ceil((until - now) / 1000));
}

/** When to try again. Not read out: a screen reader would say every second of it. */
export function TryAgain({ until }: { readonly until: number }) {
  const seconds = useSecondsUntil(until);
  return (
    <span className="countdown" aria-hidden="true">
      {seconds === 0 ? "You can try again now." : `Try again in ${lengthOf(seconds)}.`}
    </span>
  );
}

export function lengthOf(seconds: number): string {
  return seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
