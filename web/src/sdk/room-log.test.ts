import { describe, expect, test } from "vitest";
import { RoomLog } from "./room-log";
import { posted, seqs } from "./testing/builders";

function page(from: number, to: number, lastSeq: number, more: boolean) {
  const events = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => posted(from + i));
  return { events, lastSeq, more };
}

describe("live events", () => {
  test("the next one is applied", () => {
    const log = new RoomLog(4);
    expect(log.receive(posted(5))).toMatchObject({ behind: false });
    expect(log.lastSeq).toBe(5);
    expect(seqs(log.entries)).toEqual([5]);
  });

  test("one that we have is dropped", () => {
    const log = new RoomLog(4);
    log.receive(posted(5));
    expect(log.receive(posted(5)).events).toEqual([]);
    expect(log.receive(posted(2)).events).toEqual([]);
    expect(seqs(log.entries)).toEqual([5]);
  });

  test("one beyond a gap is held and reported", () => {
    const log = new RoomLog(4);
    const { events, behind } = log.receive(posted(7));
    expect(events).toEqual([]);
    expect(behind).toBe(true);
    expect(log.lastSeq).toBe(4);
  });

  test("held events follow once the gap is closed by live ones", () => {
    const log = new RoomLog(4);
    log.receive(posted(7));
    log.receive(posted(6));
    const { events, behind } = log.receive(posted(5));
    expect(seqs(events)).toEqual([5, 6, 7]);
    expect(behind).toBe(false);
  });
});

describe("catching up", () => {
  test("pages go on until nothing is missing", () => {
    const log = new RoomLog(0);
    expect(log.lagged(5).behind).toBe(true);
    expect(log.catchUp(page(1, 3, 5, true)).behind).toBe(true);
    const last = log.catchUp(page(4, 5, 5, false));
    expect(seqs(last.events)).toEqual([4, 5]);
    expect(last.behind).toBe(false);
  });

  test("events that arrive meanwhile come after the page, once", () => {
    const log = new RoomLog(0);
    log.receive(posted(4));
    log.receive(posted(5));
    const { events, behind } = log.catchUp(page(1, 4, 4, false));
    expect(seqs(events)).toEqual([1, 2, 3, 4, 5]);
    expect(behind).toBe(false);
  });

  test("a page that overlaps what arrived meanwhile repeats nothing", () => {
    const log = new RoomLog(0);
    log.receive(posted(2));
    log.receive(posted(1));
    expect(seqs(log.catchUp(page(1, 3, 3, false)).events)).toEqual([3]);
    expect(seqs(log.entries)).toEqual([1, 2, 3]);
  });

  test("the room moved on while the page was made: still behind", () => {
    const log = new RoomLog(0);
    log.receive(posted(9));
    expect(log.catchUp(page(1, 5, 5, false)).behind).toBe(true);
    expect(log.lastSeq).toBe(5);
  });

  test("a seq that the engine does not show is not waited for", () => {
    const log = new RoomLog(0);
    log.receive(posted(5));
    const { events, behind } = log.catchUp({ events: [posted(1), posted(3)], lastSeq: 4, more: false });
    expect(seqs(events)).toEqual([1, 3, 5]);
    expect(behind).toBe(false);
  });

  test("lagging behind what we have already changes nothing", () => {
    const log = new RoomLog(7);
    expect(log.lagged(7).behind).toBe(false);
  });

  test("a lost link forgets what was held, because resuming brings it again", () => {
    const log = new RoomLog(0);
    log.receive(posted(3));
    log.forgetHeld();
    expect(log.isBehind).toBe(false);
    log.receive(posted(1));
    expect(seqs(log.receive(posted(2)).events)).toEqual([2]);
    expect(seqs(log.receive(posted(3)).events)).toEqual([3]);
  });

  test("however events and pages are interleaved, the log is 1..N", () => {
    // A small linear congruential generator: the same disorder in every run.
    let state = 7;
    const random = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % below;
    };
    for (let round = 0; round < 200; round += 1) {
      const log = new RoomLog(0);
      const size = 1 + random(40);
      for (let step = 0; step < 60; step += 1) {
        if (random(3) > 0) log.receive(posted(1 + random(size)));
        else {
          const to = Math.min(size, log.lastSeq + random(8));
          log.catchUp(page(log.lastSeq + 1, to, to, to < size));
        }
      }
      log.catchUp(page(log.lastSeq + 1, size, size, false));
      expect(seqs(log.entries)).toEqual(Array.from({ length: size }, (_, i) => i + 1));
    }
  });
});

describe("the window", () => {
  test("older pages go in front until the beginning", () => {
    const log = new RoomLog(60);
    expect(log.firstSeq).toBe(61);
    log.prepend(page(11, 60, 60, false).events, 10, 61);
    expect(log.firstSeq).toBe(11);
    expect(log.hasOlder).toBe(true);
    log.prepend(page(1, 10, 60, false).events, 0, 11);
    expect(log.hasOlder).toBe(false);
    expect(log.entries).toHaveLength(60);
  });

  test("an older page that no longer touches the window is dropped", () => {
    const log = new RoomLog(10);
    for (let seq = 11; seq <= 20; seq += 1) log.receive(posted(seq));
    log.trim(3);
    log.prepend(page(1, 10, 20, false).events, 0, 11);
    expect(seqs(log.entries)).toEqual([18, 19, 20]);
    expect(log.firstSeq).toBe(18);
  });

  test("a room without messages has nothing older", () => {
    expect(new RoomLog(0).hasOlder).toBe(false);
  });
});
