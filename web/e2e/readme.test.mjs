// The example in the README, run as it stands there, in a page of a real engine.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stage } from "./story.mjs";

const story = stage();

story("the client in the README does what it says", async ({ engine, arrive }) => {
  const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
  const example = readme.match(/```js\n(.*?)```/s)?.[1];
  assert.ok(example, "the README has no js example");
  const { page } = await arrive("Reader");
  await page.goto(engine.url);
  const printed = new Promise((resolve) => page.on("console", (message) => resolve(message.text())));
  await page.evaluate(`(async () => { ${example} })()`);
  assert.equal(await printed, "1: Hello, Parlance!");
});
