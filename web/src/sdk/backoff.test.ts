import { expect, test } from "vitest";
import { Backoff } from "./backoff";
import { ManualClock } from "./testing/manual-clock";

const OPTIONS = { baseMs: 500, capMs: 15_000 };

test("the ceiling doubles up to the cap", () => {
  const clock = new ManualClock();
  clock.chance = 0.999_999;
  const backoff = new Backoff(clock, OPTIONS);
  const delays = Array.from({ length: 8 }, () => backoff.nextMs());
  expect(delays).toEqual([499, 999, 1999, 3999, 7999, 14_999, 14_999, 14_999]);
});

test("jitter is full: a delay may be nothing at all", () => {
  const clock = new ManualClock();
  clock.chance = 0;
  const backoff = new Backoff(clock, OPTIONS);
  expect([backoff.nextMs(), backoff.nextMs()]).toEqual([0, 0]);
});

test("a reset starts from the short delays again", () => {
  const clock = new ManualClock();
  const backoff = new Backoff(clock, OPTIONS);
  for (let i = 0; i < 5; i += 1) backoff.nextMs();
  backoff.reset();
  expect(backoff.attempt).toBe(0);
  expect(backoff.nextMs()).toBe(250);
});

test("a thousand attempts stay within the cap", () => {
  const backoff = new Backoff(new ManualClock(), OPTIONS);
  for (let i = 0; i < 1000; i += 1) expect(backoff.nextMs()).toBeLessThanOrEqual(15_000);
});
