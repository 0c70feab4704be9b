// Messages that are edited and deleted: on every device, and after a reload.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Person } from "./person.mjs";
import { stage, two } from "./story.mjs";

const story = stage();
const DELETED = "This message was deleted";

/** The same person on another device. */
async function secondDevice(person, browser) {
  const device = await Person.arrive(browser, person.engine, person.username, person.name);
  device.page.on("pageerror", (error) => person.pageErrors.push(error));
  await device.comeIn();
  return device;
}

function editor(person) {
  return person.page.getByRole("textbox", { name: "Edit message" });
}

async function act(person, text, action) {
  await person.message(text).hover();
  await person.message(text).getByRole("button", { name: action }).click();
}

async function deleteMessage(person, text) {
  await act(person, text, "Delete message");
  await person.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
}

function texts(log) {
  return log.map((entry) => entry.text);
}

/** Kept when somebody wants to look at them. */
async function picture(person, name) {
  if (process.env.E2E_PICTURES === undefined) return;
  await mkdir(process.env.E2E_PICTURES, { recursive: true });
  await person.page.screenshot({ path: join(process.env.E2E_PICTURES, `${name}.png`) });
}

story("what one edits and deletes is so on another device, for others, and after a reload", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.createGroup("Garden", [ben]);
  const device = await secondDevice(ada, ada.context.browser());
  await device.openRoom("Garden");
  await ben.openRoom("Garden");
  for (const text of ["Who waters the beens?", "a secret", "every evening"]) await ada.write(text);
  await device.sees("every evening");
  await ben.sees("every evening");

  await act(ada, "Who waters the beens?", "Edit message");
  assert.equal(await editor(ada).inputValue(), "Who waters the beens?");
  await picture(ada, "editing");
  await editor(ada).fill("Who waters the beans?");
  await editor(ada).press("Enter");
  await ada.message("Who waters the beans?").getByText("(edited)").waitFor();
  assert.equal(await ada.composer().evaluate((field) => field === document.activeElement), true);
  await device.message("Who waters the beans?").getByText("(edited)").waitFor();
  await deleteMessage(device, "a secret");
  await ada.sees(DELETED);
  await ben.sees(DELETED);

  // By keyboard: one's last message, given up and then changed.
  await ada.composer().press("ArrowUp");
  await editor(ada).fill("something else");
  await editor(ada).press("Escape");
  await ada.composer().press("ArrowUp");
  assert.equal(await editor(ada).inputValue(), "every evening");
  await editor(ada).fill("every\nmorning");
  await editor(ada).press("Enter");
  await ben.message("morning").getByText("(edited)").waitFor();

  const expected = ["Who waters the beans?", DELETED, "every\nmorning"];
  await picture(ada, "edited");
  await picture(ben, "edited-for-others");
  for (const person of [ada, device, ben]) {
    assert.deepEqual(texts(await person.settledLog(3)), expected);
    await person.page.reload();
    await person.message("morning").waitFor();
    assert.deepEqual(texts(await person.settledLog(3)), expected);
    assert.equal(await person.page.getByText("(edited)").count(), 2);
  }
  assert.equal(await ben.page.getByRole("button", { name: /(Edit|Delete) message/ }).count(), 0, "none of them is his");
  await device.context.close();
});

story("whoever moderates deletes what others wrote, and sees what it was", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.createGroup("Garden", [ben]);
  await ben.openRoom("Garden");
  await ben.write("nonsense");
  await act(ben, "nonsense", "Edit message");
  await editor(ben).fill("more nonsense");
  await editor(ben).press("Enter");
  await ada.message("more nonsense").getByText("(edited)").waitFor();
  assert.equal(await ada.page.getByRole("button", { name: "Edit message" }).count(), 0);
  await act(ada, "more nonsense", "Delete message");
  await picture(ada, "asked-before-deleting");
  await ada.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await ben.sees(DELETED);
  await act(ada, DELETED, "Earlier versions");
  const dialog = ada.page.getByRole("dialog", { name: "Earlier versions" });
  await dialog.getByText("more nonsense").waitFor();
  await picture(ada, "versions");
  assert.deepEqual(await dialog.locator(".message-text").allTextContents(), ["nonsense", "more nonsense"]);
  assert.equal(await ben.page.getByRole("button", { name: "Earlier versions" }).count(), 0);
});

story("what is edited and deleted without a server is done when it is back", async ({ engine, arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.openDirect(ben);
  await ada.write("one");
  await ada.write("two");
  await ben.openRoom(ada.name);
  await ben.sees("two");
  await engine.kill();
  await ada.isDisconnected();
  await act(ada, "one", "Edit message");
  await editor(ada).fill("first");
  await editor(ada).press("Enter");
  await deleteMessage(ada, "two");
  // Shown at once, and marked as not sent yet.
  await ada.message("first").getByText("Waiting to be sent").waitFor({ state: "attached" });
  await engine.serve();
  await ada.isConnected();
  await ben.sees("first");
  await ben.sees(DELETED);
  assert.deepEqual(texts(await ada.settledLog(2)), ["first", DELETED]);
  assert.deepEqual(texts(await ben.settledLog(2)), ["first", DELETED]);
});
