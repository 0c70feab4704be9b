// Keys that are not meant for the page: an Enter that an input method has taken, and one that comes too early.
import assert from "node:assert/strict";
import { stage } from "./story.mjs";

const story = stage();

/** The key events of a browser whose input method confirms a word with Enter, as a page sees them. */
async function confirmWord(field, order) {
  await field.evaluate((element, safari) => {
    const key = (extra) => new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...extra });
    const end = new CompositionEvent("compositionend", { bubbles: true, data: element.value });
    element.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
    if (safari) {
      element.dispatchEvent(end);
      element.dispatchEvent(key({ keyCode: 229 }));
    } else {
      element.dispatchEvent(key({ keyCode: 13, isComposing: true }));
      element.dispatchEvent(end);
    }
  }, order === "safari");
}

/** A real composition, as far as Chromium lets a test make one: the word is still open when Enter comes. */
async function composeThenEnter(page, word) {
  const browser = await page.context().newCDPSession(page);
  await browser.send("Input.imeSetComposition", { text: word, selectionStart: word.length, selectionEnd: word.length });
  await page.keyboard.press("Enter");
  await browser.send("Input.insertText", { text: word });
  await browser.detach();
}

/** Holds the answers to one query back until `release` is called. */
async function holdSearch(page, query) {
  let release;
  const released = new Promise((done) => (release = done));
  await page.route(
    (url) => url.pathname === "/api/v1/users" && url.searchParams.get("query") === query,
    async (route) => {
      await released;
      await route.continue();
    },
  );
  return release;
}

async function three(arrive) {
  const people = [await arrive("Ada"), await arrive("Ben"), await arrive("Cleo")];
  for (const person of people) await person.signUp();
  return people;
}

story("Enter before the answer to what was typed opens no room with somebody else", async ({ arrive }) => {
  const [ada, ben] = await three(arrive);
  const { page } = ada;
  const release = await holdSearch(page, ben.username);
  await page.getByRole("button", { name: "New conversation" }).click();
  const field = page.getByRole("combobox", { name: "Find somebody" });
  await page.getByRole("option").first().waitFor();

  // Nobody was typed or pointed at.
  await field.press("Enter");
  await field.fill(ben.username);
  await field.press("Enter");
  await page.getByText("Searching…").waitFor();
  await field.press("Enter");
  assert.equal(await page.getByRole("option", { selected: true }).count(), 0);
  assert.equal(await page.getByRole("heading", { level: 2, name: "New conversation" }).count(), 1);

  release();
  await page.getByRole("option", { selected: true }).getByText(`@${ben.username}`).waitFor();
  await field.press("Enter");
  await page.getByRole("heading", { name: ben.name, level: 2 }).waitFor();
  assert.equal(await page.getByRole("navigation").getByRole("link").count(), 1);
});

story("an Enter that confirms a word chooses nobody", async ({ arrive }) => {
  const [ada, ben] = await three(arrive);
  const { page } = ada;
  await page.getByRole("button", { name: "New conversation" }).click();
  const field = page.getByRole("combobox", { name: "Find somebody" });
  await field.fill(ben.username);
  await page.getByRole("option", { selected: true }).getByText(`@${ben.username}`).waitFor();
  for (const order of ["safari", "others"]) await confirmWord(field, order);
  await page.getByRole("heading", { level: 2, name: "New conversation" }).waitFor();
  assert.equal(await field.inputValue(), ben.username);
  await field.press("Enter");
  await page.getByRole("heading", { name: ben.name, level: 2 }).waitFor();
});

story("an Enter that confirms a word sends no message", async ({ arrive }) => {
  const [ada, ben] = await three(arrive);
  await ada.openDirect(ben);
  await ada.composer().fill("たなか");
  for (const order of ["safari", "others"]) await confirmWord(ada.composer(), order);
  assert.equal(await ada.composer().inputValue(), "たなか");
  await ada.composer().press("Enter");
  await ada.sees("たなか");

  await ada.composer().focus();
  await composeThenEnter(ada.page, "すずき");
  assert.match(await ada.composer().inputValue(), /すずき/);
  assert.equal((await ada.settledLog(1)).length, 1);
});

story("an Enter that confirms a word submits no form, and Escape closes no dialog", async ({ arrive }) => {
  const [ada] = await three(arrive);
  const { page } = ada;
  await page.getByRole("button", { name: "New space" }).click();
  const field = page.getByLabel("Space name");
  await field.fill("がっこう");
  await composeThenEnter(page, "です");
  await field.evaluate((element) => {
    const escape = { key: "Escape", keyCode: 27, isComposing: true, bubbles: true, cancelable: true };
    if (element.dispatchEvent(new KeyboardEvent("keydown", escape))) throw new Error("Escape went through");
  });
  await page.getByRole("heading", { level: 2, name: "New space" }).waitFor();
  assert.match(await field.inputValue(), /がっこう/);
  await field.press("Enter");
  await page.getByRole("heading", { level: 3 }).getByText("がっこう").waitFor();
});

story("a held Enter acts once", async ({ arrive }) => {
  const [ada, ben] = await three(arrive);
  await ada.openDirect(ben);
  await ada.composer().fill("once");
  await ada.composer().focus();
  // A second `down` without an `up` is a repeat.
  for (let beat = 0; beat < 5; beat += 1) await ada.page.keyboard.down("Enter");
  await ada.page.keyboard.up("Enter");
  await ada.sees("once");
  assert.equal(await ada.composer().inputValue(), "");
});

story("a dialog takes what is typed at once, and gives the focus back when it closes", async ({ arrive }) => {
  const [ada, ben] = await three(arrive);
  const { page } = ada;
  const button = page.getByRole("button", { name: "New conversation" });
  await button.click();
  await page.locator('input[role="combobox"]:focus').waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.ok(await button.evaluate((element) => element === document.activeElement));

  await button.press("Enter");
  await page.locator('input[role="combobox"]:focus').waitFor();
  await page.keyboard.type(ben.username);
  await page.getByRole("option", { selected: true }).getByText(`@${ben.username}`).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: ben.name, level: 2 }).waitFor();
});

story("a dialog stays when the window gets too narrow for what opened it", async ({ arrive }) => {
  const [ada, ben] = await three(arrive);
  const { page } = ada;
  await ada.openDirect(ben);
  await page.getByRole("button", { name: "New space" }).click();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("button", { name: "New conversation" }).waitFor({ state: "hidden" });
  await page.keyboard.type("School");
  await page.getByRole("button", { name: "Create space" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Back to conversations" }).click();
  await page.getByRole("group", { name: "School" }).waitFor();
});
