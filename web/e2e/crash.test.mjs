// The engine dies and comes back; nobody loses, repeats or reorders anything.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { assertOnceInOrder } from "./person.mjs";
import { stage, two } from "./story.mjs";

const story = stage();

async function twoInAGroup(arrive) {
  const { ada, ben } = await two(arrive);
  await ada.createGroup("Boat", [ben]);
  await ben.openRoom("Boat");
  return { ada, ben };
}

/** Writes, whatever happens to the engine, until told to stop; gives what was written. */
async function keepWriting(person, word, pauseMs, stop) {
  const texts = [];
  while (!stop.aborted) {
    texts.push(`${word} ${texts.length + 1}`);
    await person.write(texts.at(-1));
    await pause(pauseMs);
  }
  return texts;
}

story("the engine is killed while two people write", async ({ engine, arrive }) => {
  const { ada, ben } = await twoInAGroup(arrive);
  const stop = new AbortController();
  const writing = Promise.all([
    keepWriting(ada, "ada says", 130, stop.signal),
    keepWriting(ben, "ben says", 160, stop.signal),
  ]);

  for (const aliveMs of [1_200, 900]) {
    await pause(aliveMs);
    await engine.kill();
    await ada.isDisconnected();
    await ben.isDisconnected();
    await ada.page.getByRole("status").filter({ hasText: /Connection lost|Reconnecting|offline/ }).first().waitFor();
    await pause(700);
    assert.ok((await ada.waiting()) > 0, "what Ada wrote meanwhile is not shown as waiting");
    await engine.serve();
    await ada.isConnected();
    await ben.isConnected();
  }
  await pause(500);
  stop.abort();
  const [hers, his] = await writing;

  const everything = [...hers, ...his];
  const herLog = await ada.settledLog(everything.length);
  const hisLog = await ben.settledLog(everything.length);
  assertOnceInOrder(herLog, everything);
  assert.deepEqual(hisLog, herLog, "the two saw different orders");
  for (const texts of [hers, his]) {
    const order = herLog.map((entry) => entry.text).filter((text) => texts.includes(text));
    assert.deepEqual(order, texts, "somebody's messages were reordered");
  }

  // What a newly loaded page sees is the same.
  await ben.page.reload();
  await ben.isConnected();
  for (let round = 0; round < 10 && (await ben.log()).length < everything.length; round += 1) {
    await ben.scrollTo("top");
    await pause(300);
  }
  assert.deepEqual(await ben.log(), herLog);
});

story("messages written while the engine is away survive a reload and arrive once", async ({ engine, arrive }) => {
  const { ada, ben } = await twoInAGroup(arrive);
  await ada.write("before");
  await ben.sees("before");
  const page = await copyOfPage(engine.url);
  await engine.kill();
  await ada.isDisconnected();
  await ada.write("while away, one");
  await ada.write("while away, two");
  assert.equal(await ada.waiting(), 2);

  const standIn = await servePage(engine.port, page);
  await ada.page.reload();
  await ada.page.locator(".shell").waitFor();
  await standIn.close();
  await engine.serve();
  await ada.isConnected();

  await ben.sees("while away, two");
  await ada.openRoom("Boat");
  const texts = ["before", "while away, one", "while away, two"];
  assertOnceInOrder(await ada.settledLog(3), texts);
  assert.deepEqual(await ben.settledLog(3), await ada.log());
});

/** The page and what it is made of, by path. */
async function copyOfPage(url) {
  const fetched = async (path) => {
    const answer = await fetch(url + path);
    return [path, { type: answer.headers.get("content-type"), body: await answer.text() }];
  };
  const index = await fetched("/");
  const paths = [...index[1].body.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1]);
  return new Map([index, ...(await Promise.all(paths.map(fetched)))]);
}

/** The page normally comes from the engine. While that is away, this stands in for a browser that has it cached. */
async function servePage(port, page) {
  const server = createServer((request, response) => {
    if (request.url.startsWith("/api/")) {
      response.writeHead(503).end();
      return;
    }
    const { type, body } = page.get(request.url) ?? page.get("/");
    response.writeHead(200, { "content-type": type }).end(body);
  });
  server.on("upgrade", (_request, socket) => socket.destroy());
  await new Promise((listening) => server.listen(port, "127.0.0.1", listening));
  return {
    close: () =>
      new Promise((closed) => {
        server.close(closed);
        server.closeAllConnections();
      }),
  };
}

story("a retry by hand does not wait for the countdown", async ({ engine, arrive }) => {
  const ada = await arrive("Ada");
  await ada.signUp();
  await engine.kill();
  await ada.isDisconnected();
  // Long enough for the delays to have grown.
  await pause(6_000);
  await engine.serve();
  await ada.page
    .getByRole("button", { name: "Try now" })
    .click({ timeout: 3_000 })
    .catch(() => undefined);
  await ada.isConnected();
});
