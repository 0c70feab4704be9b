// An engine where strangers are asked before they are in a room.
import assert from "node:assert/strict";
import { stage, two } from "./story.mjs";

const story = stage({ PARLANCE__CHAT__STRANGERS: "invite" });

function invitationFrom(person, other) {
  return person.page.getByRole("region", { name: "Invitations" }).getByRole("listitem").filter({ hasText: `@${other.username}` });
}

story("a direct message waits until it is welcome", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.openDirect(ben);
  await ada.page.getByText("has been invited").waitFor();
  await ada.write("Hello Ben");
  await ada.sees("Hello Ben");
  assert.equal(await ben.page.getByRole("navigation").getByRole("link").count(), 0);

  await invitationFrom(ben, ada).getByText("would like to write to you").waitFor();
  await invitationFrom(ben, ada).getByRole("button", { name: "Accept" }).click();
  await ben.page.getByRole("heading", { name: ada.name, level: 2 }).waitFor();
  await ben.item(ada.name).waitFor();
  await ben.sees("Hello Ben");
  await ben.write("Hello Ada");
  await ada.sees("Hello Ada");
  await ada.page.getByText("has been invited").waitFor({ state: "detached" });
});

story("whoever declines is not in the group, and is not asked on another device either", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  const tab = await ben.context.newPage();
  await tab.goto(ben.engine.url);
  await ada.createGroup("Garden", [ben]);
  await ada.page.getByText("Invited, and not here until they accept").filter({ hasText: ben.name }).waitFor();
  await tab.getByText("invites you to the group").waitFor();
  await invitationFrom(ben, ada).getByRole("button", { name: "Decline" }).click();
  await invitationFrom(ben, ada).waitFor({ state: "detached" });
  await tab.getByText("invites you to the group").waitFor({ state: "detached" });
  await ben.page.getByText("No conversations yet").waitFor();
});

story("whoever is invited to a space has its channels to join", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.page.getByRole("button", { name: "New space" }).click();
  await ada.page.getByLabel("Space name").fill("Club");
  await ada.page.getByRole("button", { name: "Create space" }).click();
  await ada.page.getByRole("button", { name: "People of Club" }).click();
  await ada.page.getByRole("button", { name: "Add people" }).click();
  await ada.pick("Find somebody", ben);
  await ada.page.getByText(`Invited: ${ben.name}`).waitFor();
  await invitationFrom(ben, ada).getByRole("button", { name: "Accept" }).click();
  await ben.page.getByRole("group", { name: "Club" }).waitFor();
});
