// Spaces and their people: roles, handing over, leaving.
import assert from "node:assert/strict";
import { stage, two } from "./story.mjs";

const story = stage();

/** A space of Ada's with one channel, which Ben is in as well. */
async function school(arrive) {
  const { ada, ben } = await two(arrive);
  await ada.page.getByRole("button", { name: "New space" }).click();
  await ada.page.getByLabel("Space name").fill("School");
  await ada.page.getByRole("button", { name: "Create space" }).click();
  await ada.page.getByRole("button", { name: "New channel in School" }).click();
  await ada.page.getByLabel("Channel name").fill("homework");
  await ada.page.getByRole("button", { name: "Create channel" }).click();
  await ada.page.getByRole("heading", { name: "homework", level: 2 }).waitFor();
  await ada.page.getByRole("button", { name: "People of School" }).click();
  await ada.page.getByRole("button", { name: "Add people" }).click();
  await ada.pick("Find somebody", ben);
  await ada.page.getByText(`Added: ${ben.name}`).waitFor();
  await ada.page.keyboard.press("Escape");
  await ben.page.reload();
  await ben.page.getByRole("button", { name: "Join homework" }).click();
  await ben.page.getByRole("heading", { name: "homework", level: 2 }).waitFor();
  return { ada, ben };
}

story("an owner hands a space over, steps down and leaves; the channels go with it", async ({ arrive }) => {
  const { ada, ben } = await school(arrive);
  await ada.page.getByRole("button", { name: "People of School" }).click();
  const people = ada.page.getByRole("dialog");
  assert.equal(await people.getByLabel(`Role of ${ada.name}`).count(), 0);
  await people.getByLabel(`Role of ${ben.name}`).selectOption("owner");
  await people.getByLabel(`Role of ${ada.name}`).selectOption("member");
  // A member has no say in roles.
  await people.getByLabel(`Role of ${ben.name}`).waitFor({ state: "detached" });
  await people.getByRole("button", { name: "Leave this space" }).click();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Leave", exact: true }).click();
  await ada.page.getByRole("group", { name: "School" }).waitFor({ state: "detached" });
  await ada.page.getByRole("heading", { name: "Pick a conversation" }).waitFor();
  assert.equal(await ada.page.getByRole("navigation").getByRole("link").count(), 0);
  await ben.page.locator(".system").getByText(`${ada.name} left`).waitFor();
});

story("the last owner is told that somebody else has to be one first", async ({ arrive }) => {
  const { ada } = await school(arrive);
  await ada.page.getByRole("button", { name: "People of School" }).click();
  await ada.page.getByRole("dialog").getByText("make somebody else an owner").waitFor();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Leave this space" }).click();
  const leaving = ada.page.getByRole("dialog");
  await leaving.getByRole("button", { name: "Leave", exact: true }).click();
  await leaving.getByRole("alert").filter({ hasText: "owner" }).waitFor();
  await leaving.getByRole("button", { name: "Stay" }).click();
  await ada.page.getByRole("heading", { name: "homework", level: 2 }).waitFor();
});

story("whoever is removed from a space is out of its channels at once", async ({ arrive }) => {
  const { ada, ben } = await school(arrive);
  await ada.page.getByRole("button", { name: "People of School" }).click();
  await ada.page.getByRole("dialog").getByRole("button", { name: `Remove ${ben.name}` }).click();
  await ben.page.getByRole("link", { name: "homework" }).waitFor({ state: "detached" });
  await ben.page.getByText("This conversation is not here").waitFor();
  await ben.page.getByRole("group", { name: "School" }).waitFor({ state: "detached" });
  await ada.page.keyboard.press("Escape");
  await ada.page.locator(".system").getByText(`You removed ${ben.name}`).waitFor();
});

story("whoever runs a space has an owner's buttons in its channels", async ({ arrive }) => {
  const { ada, ben } = await school(arrive);
  await ada.page.getByRole("button", { name: "People of School" }).click();
  const given = ada.page.waitForResponse((response) => response.request().method() === "PATCH");
  await ada.page.getByRole("dialog").getByLabel(`Role of ${ben.name}`).selectOption("admin");
  assert.ok((await given).ok());
  await ben.page.reload();
  await ben.page.getByRole("button", { name: "Details" }).click();
  await ben.page.getByRole("textbox", { name: "Topic" }).fill("Page 12");
  await ben.page.getByRole("button", { name: "Save" }).click();
  await ben.page.locator(".system").getByText("Page 12").waitFor();
});

/** The engine makes it, and the first answer is lost on the way back. */
async function loseFirstAnswer(page, address) {
  let lost = false;
  await page.route(address, async (route) => {
    if (route.request().method() !== "POST" || lost) return route.continue();
    lost = true;
    await route.fetch();
    await route.abort();
  });
}

story("a space whose making was answered too late is made once", async ({ arrive }) => {
  const ada = await arrive("Ada");
  await ada.signUp();
  await loseFirstAnswer(ada.page, "**/api/v1/spaces");
  await ada.page.getByRole("button", { name: "New space" }).click();
  await ada.page.getByLabel("Space name").fill("Once");
  await ada.page.getByRole("button", { name: "Create space" }).click();
  await ada.page.getByRole("alert").waitFor();
  await ada.page.getByRole("button", { name: "Create space" }).click();
  await ada.page.getByRole("dialog").waitFor({ state: "detached" });
  await ada.page.reload();
  await ada.page.getByRole("group", { name: "Once" }).waitFor();
  assert.equal(await ada.page.getByRole("group", { name: "Once" }).count(), 1);
});

story("a group whose making was answered too late is made once", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await loseFirstAnswer(ada.page, "**/api/v1/rooms");
  await ada.page.getByRole("button", { name: "New conversation" }).click();
  await ada.page.getByRole("button", { name: "Group" }).click();
  await ada.page.getByLabel("Group name").fill("Once");
  await ada.pick("People", ben);
  await ada.page.getByRole("button", { name: /^Create group/ }).click();
  await ada.page.getByRole("alert").waitFor();
  await ada.page.getByRole("button", { name: /^Create group/ }).click();
  await ada.page.getByRole("heading", { name: "Once", level: 2 }).waitFor();
  assert.equal(await ada.item("Once").count(), 1);
  await ben.item("Once").waitFor();
  await ben.page.reload();
  await ben.item("Once").waitFor();
  assert.equal(await ben.item("Once").count(), 1);
});
