// Names that could mislead: of two directions, and of two people who look alike.
import assert from "node:assert/strict";
import { stage } from "./story.mjs";

const story = stage();

story("two who look alike are told apart by their usernames, wherever they are named", async ({ arrive }) => {
  const ada = await arrive("Ada");
  const ben = await arrive("Ben");
  const eve = await arrive("Eve");
  await ada.signUp();
  await ben.signUp();
  // The same letters, two of them Cyrillic.
  eve.name = ben.name.replace("B", "\u0412").replace("e", "\u0435");
  await eve.signUp();

  await ada.openDirect(ben);
  await ada.createGroup("Choir", [ben, eve]);
  await eve.openRoom("Choir");
  await eve.write("it is me, Ben");
  await ada.sees("it is me, Ben");
  await ada.page.locator(".message-sender .handle").getByText(`@${eve.username}`).waitFor();
  await ada.page.locator(".room-item .handle").getByText(`@${ben.username}`).waitFor();
  await ada.page.locator(".room-item-preview").getByText(`@${eve.username}`).waitFor();
});

story("a name from right to left does not rearrange the line around it", async ({ arrive }) => {
  const ada = await arrive("Ada");
  const noa = await arrive("Noa");
  noa.name = "\u05e0\u05d5\u05e2\u05d4 (2)";
  await ada.signUp();
  await noa.signUp();
  await ada.createGroup("Trip", [noa]);
  await noa.openRoom("Trip");
  await noa.page.getByRole("button", { name: "Details" }).click();
  await noa.page.getByRole("button", { name: "Leave" }).click();
  await noa.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  const line = ada.page.locator(".system").filter({ hasText: "left" });
  await line.waitFor();
  // The word behind the name stands to its right, and the name's own end does not.
  const [nameRight, wordLeft] = await line.evaluate((element) => {
    const name = element.querySelector("bdi").getBoundingClientRect();
    const range = document.createRange();
    range.selectNodeContents(element.lastChild);
    return [name.right, range.getBoundingClientRect().left];
  });
  assert.ok(wordLeft >= nameRight - 1, `"left" begins at ${wordLeft}, the name ends at ${nameRight}`);
});
