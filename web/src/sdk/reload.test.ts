import { expect, test } from "vitest";
import { Reload } from "./reload";
import { settled } from "./testing/manual-clock";

test("asked for while it reads, it reads once more, however often it was asked", async () => {
  const reads: (() => void)[] = [];
  const reload = new Reload(() => new Promise((done) => reads.push(done)));
  for (let i = 0; i < 5; i += 1) void reload.now();
  expect(reads).toHaveLength(1);
  reads[0]?.();
  await settled();
  expect(reads).toHaveLength(2);
  reads[1]?.();
  await settled();
  expect(reads).toHaveLength(2);
});

test("a reading that failed leaves the next one its chance", async () => {
  let fails = true;
  let reads = 0;
  const reload = new Reload(() => {
    reads += 1;
    return fails ? Promise.reject(new Error("away")) : Promise.resolve();
  });
  await reload.now();
  fails = false;
  await reload.now();
  expect(reads).toBe(2);
});
