// A backup was restored: the log has another life, and its numbers may name other events.
import assert from "node:assert/strict";
import { assertOnceInOrder } from "./person.mjs";
import { stage } from "./story.mjs";

const story = stage();

/** Lets a page hear of another epoch than the engine's, from when `begin` is called. */
async function anotherEpoch(page) {
  let epoch = null;
  const hellos = [];
  await page.routeWebSocket(/\/api\/v1\/ws$/, (socket) => {
    const engine = socket.connectToServer();
    socket.onMessage((text) => {
      if (text.includes('"hello"')) hellos.push(JSON.parse(text));
      engine.send(text);
    });
    engine.onMessage((text) => {
      const ready = epoch !== null && text.includes('"type":"ready"') ? JSON.parse(text) : null;
      socket.send(ready === null ? text : JSON.stringify({ ...ready, epoch }));
    });
  });
  return { hellos, begin: () => (epoch = crypto.randomUUID()) };
}

story("what the page has is read anew, and what was not sent is sent", async ({ engine, arrive }) => {
  const ada = await arrive("Ada");
  const ben = await arrive("Ben");
  const { hellos, begin } = await anotherEpoch(ada.page);
  await ada.signUp();
  await ben.signUp();
  await ada.openDirect(ben);
  await ada.write("before");
  await ada.sees("before");
  const log = await ada.page.locator(".timeline-scroll").elementHandle();

  await engine.kill();
  await ada.isDisconnected();
  await ada.write("not sent yet");
  begin();
  await engine.serve();
  await ada.isConnected();
  await ben.openRoom(ada.name);
  await ben.sees("not sent yet");
  assertOnceInOrder(await ada.settledLog(2), ["before", "not sent yet"]);
  assert.equal(await log.evaluate((element) => element.isConnected), false, "the old log is still shown");

  // From now on it resumes under the new one.
  const [first, ...later] = hellos;
  assert.equal(first.epoch, undefined);
  assert.ok(later.at(-1).epoch);
  await engine.kill();
  await ada.isDisconnected();
  await engine.serve();
  await ada.isConnected();
  assert.notEqual(hellos.at(-1).epoch, later.at(-1).epoch);
});
