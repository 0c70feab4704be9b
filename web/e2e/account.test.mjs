// One's own account: the password, the devices, and a link that sets a new password.
import assert from "node:assert/strict";
import { stage } from "./story.mjs";

const story = stage();

/** The same person at another browser. */
async function elsewhere(arrive, person) {
  const other = await arrive("Elsewhere");
  Object.assign(other, { username: person.username, name: person.name, password: person.password });
  await other.comeIn();
  return other;
}

story("a new password signs the other devices out, and is the one that works", async ({ arrive }) => {
  const ada = await arrive("Ada");
  await ada.signUp();
  const other = await elsewhere(arrive, ada);
  const account = await ada.openAccount();
  await account.getByText("Your devices (2)").waitFor();

  const password = "a better password than before";
  await account.getByLabel("Current password").fill("not her password");
  await account.getByLabel("New password").fill(password);
  await account.getByRole("button", { name: "Change password" }).click();
  await account.locator(".field", { hasText: "Current password" }).locator(".field-error").waitFor();
  await account.getByLabel("Current password").fill(ada.password);
  await account.getByLabel("New password").fill("short");
  await account.getByRole("button", { name: "Change password" }).click();
  await account.locator(".field", { hasText: "New password" }).locator(".field-error").waitFor();
  await account.getByLabel("New password").fill(password);
  await account.getByRole("button", { name: "Change password" }).click();
  await account.getByText("Your password is changed.").waitFor();
  await account.getByText("Your devices (1)").waitFor();

  await other.page.getByRole("heading", { name: "Welcome back" }).waitFor();
  await other.signIn();
  await other.page.getByRole("alert").waitFor();
  await other.signIn(password);
  await other.isConnected();
  await ada.page.reload();
  await ada.isConnected();
});

story("a device that is signed out from afar is out at once", async ({ arrive }) => {
  const ada = await arrive("Ada");
  await ada.signUp();
  const other = await elsewhere(arrive, ada);
  const account = await ada.openAccount();
  const devices = account.getByRole("region", { name: "Your devices" }).getByRole("listitem");
  await account.getByText("Your devices (2)").waitFor();
  await devices.first().getByText("This device").waitFor();
  assert.equal(await devices.first().getByRole("button").count(), 0);
  await devices.last().getByRole("button", { name: "Sign out" }).click();
  await other.page.getByRole("heading", { name: "Welcome back" }).waitFor();
  await account.getByText("Your devices (1)").waitFor();
  await ada.page.keyboard.press("Escape");
  await ada.isConnected();
});

story("a link from the operator sets a new password, once", async ({ engine, arrive }) => {
  const ada = await arrive("Ada");
  await ada.signUp();
  await ada.page.getByRole("button", { name: "Sign out" }).click();
  const printed = await engine.tool(["users", "reset-link", ada.username, "--base", engine.url]);
  const [link] = printed.match(/http\S+/);

  await ada.page.goto(link);
  await ada.page.getByRole("heading", { name: "Choose a new password" }).waitFor();
  assert.equal(ada.page.url(), `${engine.url}/reset`);
  await ada.page.getByLabel("New password").fill("short");
  await ada.page.getByRole("button", { name: "Set password" }).click();
  await ada.page.locator(".field-error").waitFor();
  const password = "quite another password";
  await ada.page.getByLabel("New password").fill(password);
  await ada.page.getByRole("button", { name: "Set password" }).click();
  await ada.page.getByRole("heading", { name: "Your password is set" }).waitFor();
  await ada.page.getByRole("button", { name: "Go to sign in" }).click();
  await ada.signIn(password);
  await ada.isConnected();

  await ada.page.goto("about:blank");
  await ada.page.goto(link);
  await ada.page.getByLabel("New password").fill("one more password");
  await ada.page.getByRole("button", { name: "Set password" }).click();
  await ada.page.getByRole("alert").waitFor();
  await ada.page.getByRole("button", { name: "Back to the start" }).click();
  await ada.isConnected();
});
