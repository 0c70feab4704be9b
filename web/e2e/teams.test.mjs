// Teams come into rooms with their people; the engine speaks for itself.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { stage } from "./story.mjs";

const story = stage();

/** Pictures of what is right, for whoever wants to look: PICTURES names the folder. */
async function picture(person, name) {
  if (process.env.PICTURES === undefined) return;
  await mkdir(process.env.PICTURES, { recursive: true });
  await person.page.screenshot({ path: `${process.env.PICTURES}/${name}.png` });
}

async function makeTeam(person, name, others) {
  const { page } = person;
  await page.getByRole("button", { name: "New team" }).click();
  await page.getByLabel("Team name").fill(name);
  await page.getByRole("button", { name: "Create team" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name }).waitFor();
  await dialog.getByRole("button", { name: "Add people" }).click();
  for (const other of others) {
    await person.pick("Find somebody", other);
    await dialog.getByText("Added:").filter({ hasText: other.name }).waitFor();
  }
  await dialog.getByRole("button", { name: /^People/ }).click();
}

function member(person, name) {
  return person.page.getByRole("complementary", { name: "Details" }).getByRole("listitem").filter({ hasText: name });
}

story("a team is made, comes into a group, is followed, and goes with its people", async ({ arrive, engine }) => {
  const [ada, ben, cleo, dan] = [await arrive("Ada"), await arrive("Ben"), await arrive("Cleo"), await arrive("Dan")];
  for (const person of [ada, ben, cleo, dan]) await person.signUp();
  await makeTeam(ada, "Support", [ben]);
  const dialog = ada.page.getByRole("dialog");
  await dialog.getByRole("listitem").filter({ hasText: ben.name }).waitFor();
  await picture(ada, "1-team");
  await dialog.getByRole("button", { name: "Close" }).click();

  await ada.createGroup("Garden", [dan]);
  await ada.page.getByRole("button", { name: "Details", exact: true }).click();
  await ada.page.getByRole("button", { name: "Add people" }).click();
  await dialog.getByRole("button", { name: "Teams" }).click();
  await picture(ada, "2-add-team");
  await dialog.getByRole("button", { name: "Add the team Support" }).click();
  await dialog.getByText("Added: Support").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await member(ada, "Support").getByText("Team", { exact: true }).waitFor();
  await member(ada, ben.name).getByText("with Support").waitFor();
  await ada.page.locator(".system").getByText("added the team Support").waitFor();
  await ben.openRoom("Garden");
  await ben.write("Here with the team");
  await ada.sees("Here with the team");
  await picture(ada, "3-members");

  // Somebody who joins the team later.
  await ada.page.getByRole("button", { name: "Support", exact: true }).click();
  await dialog.getByRole("button", { name: "Add people" }).click();
  await ada.pick("Find somebody", cleo);
  await dialog.getByText("Added:").waitFor();
  await cleo.openRoom("Garden");
  await dialog.getByRole("button", { name: "Settings" }).click();
  await dialog.getByLabel("Team name").fill("Helpers");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("heading", { name: "Helpers" }).waitFor();
  await picture(ada, "4-settings");
  await dialog.getByRole("button", { name: "Close" }).click();

  // Nobody leaves alone.
  await ben.page.getByRole("button", { name: "Details", exact: true }).click();
  await ben.page.getByRole("button", { name: "Leave", exact: true }).click();
  await ben.page.getByRole("dialog").getByRole("button", { name: "Leave", exact: true }).click();
  await ben.page.getByRole("dialog").getByRole("alert").filter({ hasText: "Helpers" }).waitFor();
  await picture(ben, "5-leaving-alone");
  await ben.page.getByRole("dialog").getByRole("button", { name: "Stay" }).click();

  // The engine itself.
  await engine.tool(["users", "set-role", ada.username, "admin"]);
  const posted = await ada.page.evaluate(async (login) => {
    const json = { "content-type": "application/json" };
    const call = (path, body, token) =>
      fetch(`/api/v1${path}`, { method: "POST", body: JSON.stringify(body), headers: { ...json, authorization: `Bearer ${token}` } });
    const { access_token: token } = await (await call("/auth/login", login, "")).json();
    const room = location.pathname.split("/").at(-1);
    return (await call(`/admin/rooms/${room}/notices`, { client_id: "n1", content: "The garden closes at noon." }, token)).status;
  }, { login: ada.username, password: ada.password });
  assert.equal(posted, 201);
  for (const person of [ada, ben, cleo]) await person.page.locator(".notice").getByText("The garden closes at noon.").waitFor();
  await picture(cleo, "6-notice");

  // It goes, and they with it.
  await ada.page.getByRole("button", { name: "Helpers", exact: true }).click();
  await dialog.getByRole("button", { name: "Settings" }).click();
  await dialog.getByRole("button", { name: "Delete this team" }).click();
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await ben.item("Garden").waitFor({ state: "detached" });
  await cleo.item("Garden").waitFor({ state: "detached" });
  await member(ada, ben.name).waitFor({ state: "detached" });
  await picture(ada, "7-gone");
});
