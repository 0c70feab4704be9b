// One person, several tabs; and sessions that end or expire.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { assertOnceInOrder, Person } from "./person.mjs";
import { stage, two } from "./story.mjs";

// Tokens that expire while one watches: every tab has to refresh, and only one may do it at a time.
const story = stage({ PARLANCE__AUTH__ACCESS_TOKEN_S: "35" });

async function secondTab(person) {
  const page = await person.context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => person.pageErrors.push(error));
  await page.goto(person.page.url());
  const tab = new Person(person.engine, person.context, page, person.username, person.name);
  await tab.isConnected();
  return tab;
}

story("two tabs of one person show and send the same, once", async ({ engine, arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.openDirect(ben);
  const other = await secondTab(ada);

  await ada.write("from the first tab");
  await other.sees("from the first tab");
  await engine.kill();
  await ada.isDisconnected();
  await other.isDisconnected();
  await ada.write("one");
  await other.write("two");
  await ada.write("three");
  // Each tab shows what waits in the other.
  await ada.message("two").waitFor();
  await other.message("three").waitFor();
  await engine.serve();
  await ada.isConnected();
  await other.isConnected();

  const texts = ["from the first tab", "one", "two", "three"];
  const log = await ada.settledLog(4);
  assertOnceInOrder(log, texts);
  assert.deepEqual(log.map((entry) => entry.text), texts);
  assert.deepEqual(await other.settledLog(4), log);
  await ben.openRoom(ada.name);
  await ben.sees("three");
  assert.deepEqual(await ben.settledLog(4), log);
});

story("tokens expire under two tabs and nobody is signed out", async ({ arrive }) => {
  const ada = await arrive("Ada");
  await ada.signUp();
  const other = await secondTab(ada);
  for (let round = 0; round < 3; round += 1) {
    // Past the moment from which the client refreshes: both tabs want a new token at the same time.
    await pause(6_000);
    await Promise.all(
      [ada, other].map(async ({ page }) => {
        await page.getByRole("button", { name: "New conversation" }).click();
        await page.getByRole("option").first().waitFor();
        await page.keyboard.press("Escape");
      }),
    );
  }
  await Promise.all([ada.page.reload(), other.page.reload()]);
  await ada.isConnected();
  await other.isConnected();
});

story("tokens expire under two tabs that share no lock, and nobody is signed out", async ({ engine, arrive }) => {
  const ada = await arrive("Ada");
  ada.origin = engine.url.replace("127.0.0.1", "parlance.test");
  await ada.signUp();
  assert.equal(await ada.page.evaluate(() => navigator.locks === undefined), true);
  const other = await secondTab(ada);
  for (let round = 0; round < 3; round += 1) {
    // Both find their token expired, and ask for another one in the same moment.
    await Promise.all(
      [ada, other].map(async ({ page }) => {
        await page.evaluate(() => {
          const session = JSON.parse(localStorage.getItem("parlance.session"));
          localStorage.setItem("parlance.session", JSON.stringify({ ...session, expiresAt: 0 }));
        });
        await page.reload();
      }),
    );
    await Promise.all([ada.isConnected(), other.isConnected()]);
  }
});

story("a session goes on when its token has expired", async ({ arrive }) => {
  const ada = await arrive("Ada");
  const sockets = [];
  ada.page.on("websocket", (socket) => socket.url().endsWith("/api/v1/ws") && sockets.push(socket));
  await ada.signUp();
  const renewed = sockets[0].waitForEvent("framereceived", {
    predicate: ({ payload }) => payload.includes('"expires_at"') && payload.includes('"ok"'),
    timeout: 60_000,
  });
  await renewed;
  assert.equal(sockets.length, 1);
});

story("a lost answer to a refresh signs nobody out", async ({ arrive }) => {
  const ada = await arrive("Ada");
  await ada.signUp();
  let lost = 0;
  await ada.page.route("**/api/v1/auth/refresh", async (route) => {
    if (lost > 0) return route.continue();
    lost += 1;
    // The engine has answered; the network has not.
    await route.fetch();
    await route.abort();
  });
  await ada.page.evaluate(() => {
    const session = JSON.parse(localStorage.getItem("parlance.session"));
    localStorage.setItem("parlance.session", JSON.stringify({ ...session, expiresAt: 0 }));
  });
  await ada.page.reload();
  await ada.isConnected();
  assert.equal(lost, 1);
});

story("signing out in one tab signs out the other", async ({ arrive }) => {
  const ada = await arrive("Ada");
  await ada.signUp();
  const other = await secondTab(ada);
  await ada.page.getByRole("button", { name: "Sign out" }).click();
  await other.page.getByRole("heading", { name: "Welcome back" }).waitFor();
  await other.page.reload();
  await other.page.getByRole("heading", { name: "Welcome back" }).waitFor();
});
