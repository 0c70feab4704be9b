// An engine where accounts are made by its operator.
import assert from "node:assert/strict";
import { stage } from "./story.mjs";

const story = stage({ PARLANCE__AUTH__REGISTRATION: "false" });

story("nobody is asked to create an account, and whoever has one comes in", async ({ engine, arrive }) => {
  const ada = await arrive("Ada");
  await engine.tool(["users", "add", ada.username, "--full-name", ada.name], ada.password);
  await ada.page.goto(engine.url);
  await ada.page.getByText("Accounts here are made by an administrator.").waitFor();
  assert.equal(await ada.page.getByRole("button", { name: "Create an account" }).count(), 0);
  await ada.signIn();
  await ada.isConnected();
});
