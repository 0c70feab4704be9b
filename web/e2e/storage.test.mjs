// Browsers that keep nothing, or have no room left: the client works, and says what it cannot keep.
import assert from "node:assert/strict";
import { stage } from "./story.mjs";

const story = stage();

/** Everything that a page could keep something in refuses even to be named. */
function refuseEverything() {
  for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) {
    Object.defineProperty(window, name, {
      get() {
        throw new DOMException("The operation is insecure.", "SecurityError");
      },
    });
  }
  const denied = () => Promise.reject(new DOMException("denied", "SecurityError"));
  Object.defineProperty(navigator, "locks", { value: { request: denied, query: denied } });
}

/** Storage that can be read, and takes nothing. */
function refuseWrites() {
  Storage.prototype.setItem = () => {
    throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
  };
  IDBObjectStore.prototype.put = () => {
    throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
  };
}

/** IndexedDB that never answers. */
function hangIndexedDb() {
  indexedDB.open = () => ({});
}

async function talk(ada, ben) {
  await ben.signUp();
  await ada.signUp();
  await ada.openDirect(ben);
  await ada.write("one");
  await ada.write("two");
  await ada.composer().fill("half a thought");
  await ben.openRoom(ada.name);
  await ben.sees("two");
  await ben.write("three");
  await ada.sees("three");
}

for (const [what, script, sentence] of [
  ["keeps nothing", refuseEverything, "lets Parlance keep nothing"],
  ["has no room left", refuseWrites, "has no room left"],
]) {
  story(`a browser that ${what} works, with a notice`, async ({ engine, arrive }) => {
    const ada = await arrive("Ada");
    const ben = await arrive("Ben");
    await ada.page.addInitScript(script);
    await talk(ada, ben);
    const notice = ada.page.getByRole("status").filter({ hasText: sentence });
    await notice.waitFor();

    // What is written while the engine is away waits here, as anywhere.
    await engine.kill();
    await ada.isDisconnected();
    await ada.write("while away");
    assert.equal(await ada.waiting(), 1);
    await engine.serve();
    await ben.sees("while away");

    await notice.getByRole("button", { name: "Understood" }).click();
    assert.equal(await ada.page.getByText(sentence).count(), 0);
    await ada.page.getByRole("button", { name: "Sign out" }).click();
    await ada.page.getByRole("heading", { name: "Welcome back" }).waitFor();
    await ada.page.reload();
    await ada.page.getByRole("heading", { name: "Welcome back" }).waitFor();
    await ada.signIn();
    await ada.openRoom(ben.name);
    await ada.sees("while away");
  });
}

story("a database of the browser that never answers holds nobody up", async ({ arrive }) => {
  const ada = await arrive("Ada");
  const ben = await arrive("Ben");
  await ada.page.addInitScript(hangIndexedDb);
  await talk(ada, ben);
  await ada.page.evaluate(() => {
    const session = JSON.parse(localStorage.getItem("parlance.session"));
    localStorage.setItem("parlance.session", JSON.stringify({ ...session, expiresAt: 0 }));
  });
  await ada.page.reload();
  await ada.isConnected();
});
