// Scrolling: back through a long conversation, and away from its end.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { stage, two } from "./story.mjs";

const story = stage();
const MESSAGES = 130;

story("history comes by scrolling up and keeps its place", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.openDirect(ben);
  const texts = Array.from({ length: MESSAGES }, (_, index) => `message ${index + 1}`);
  for (const text of texts) await ada.write(text);
  await ada.settledLog(MESSAGES);

  // A page that was there all along holds what it has seen; a new one starts at the end.
  await ben.page.reload();
  await ben.openRoom(ada.name);
  await ben.sees(texts.at(-1));
  assert.ok((await ben.log()).length < MESSAGES, "everything came at once");

  for (let round = 0; round < 20; round += 1) {
    const before = await scrolledToTop(ben.page);
    if (before.count === MESSAGES) break;
    await ben.page.waitForFunction(
      (count) => document.querySelectorAll(".message[data-seq]").length !== count,
      before.count,
    );
    // What was at the top is still where it was, with the new rows above it.
    const after = await topOf(ben.page, before.seq);
    assert.ok(Math.abs(after - before.top) < 4, `row ${before.seq} moved from ${before.top} to ${after}`);
  }
  const log = await ben.log();
  assert.deepEqual(log.map((entry) => entry.text), texts);
  await ben.scrollTo("top");
  await ben.page.getByText("This is the beginning").waitFor();

  // Up here nothing moves when somebody writes; a button says what is below.
  await ada.write("one more");
  await ada.write("and another");
  const jump = ben.page.getByRole("button", { name: "2 new messages" });
  await jump.waitFor();
  await jump.click();
  await ben.sees("and another");
  await pause(100);
  assert.equal(await ben.page.locator(".jump").count(), 0);
});

/** The first message in view at the top, as it is before the scrolling brings more. */
function scrolledToTop(page) {
  return page.evaluate(() => {
    const timeline = document.querySelector(".timeline-scroll");
    timeline.scrollTop = 0;
    const rows = [...document.querySelectorAll(".message[data-seq]")];
    const edge = timeline.getBoundingClientRect().top;
    const row = rows.find((candidate) => candidate.getBoundingClientRect().bottom > edge);
    return { seq: Number(row.dataset.seq), top: row.getBoundingClientRect().top, count: rows.length };
  });
}

function topOf(page, seq) {
  return page.evaluate((wanted) => {
    return document.querySelector(`.message[data-seq="${wanted}"]`).getBoundingClientRect().top;
  }, seq);
}
