// More than fits: rooms that the first answer leaves out, and limits of what one account may do.
import assert from "node:assert/strict";
import { stage } from "./story.mjs";

const story = stage({
  PARLANCE__SESSIONS__READY_ROOMS_MAX: "3",
  PARLANCE__LIMITS__MESSAGES_BURST: "12",
  PARLANCE__LIMITS__MESSAGES_PER_MINUTE: "12",
});

const ROOMS = 8;

/** Rooms of one person, made through the API: what is tested is how they are listed. */
async function makeRooms(person, count) {
  return person.page.evaluate(async (wanted) => {
    const { accessToken } = JSON.parse(localStorage.getItem("parlance.session"));
    const headers = { "content-type": "application/json", authorization: `Bearer ${accessToken}` };
    const ids = [];
    for (let index = 1; index <= wanted; index += 1) {
      const body = JSON.stringify({ kind: "group", name: `Room ${index}`, member_ids: [] });
      ids.push((await (await fetch("/api/v1/rooms", { method: "POST", headers, body })).json()).id);
    }
    return ids;
  }, count);
}

story("a long list goes on, and a room appears when something happens there", async ({ engine, arrive }) => {
  const ada = await arrive("Ada");
  await ada.signUp();
  const ids = await makeRooms(ada, ROOMS);
  await ada.page.reload();
  await ada.isConnected();
  const items = ada.page.getByRole("navigation").getByRole("link");
  await ada.item("Room 8").waitFor();
  assert.equal(await items.count(), 3);

  // Somebody else's device writes into one that is not listed.
  const other = await arrive("Elsewhere");
  Object.assign(other, { username: ada.username, name: ada.name, password: ada.password });
  await other.comeIn();
  await other.page.goto(`${engine.url}/room/${ids[0]}`);
  await other.page.getByRole("heading", { name: "Room 1", level: 2 }).waitFor();
  await other.write("still here");
  await ada.item("Room 1").getByText("still here").waitFor();
  assert.equal(await items.count(), 4);

  await ada.page.getByRole("button", { name: "Show more rooms" }).click();
  await ada.item("Room 2").waitFor();
  assert.equal(await items.count(), ROOMS);
  assert.equal(await ada.page.getByRole("button", { name: "Show more rooms" }).count(), 0);
});

story("a limit makes messages wait, says until when, and loses none", async ({ arrive }) => {
  const ada = await arrive("Ada");
  await ada.signUp();
  await makeRooms(ada, 1);
  await ada.openRoom("Room 1");
  const texts = Array.from({ length: 15 }, (_, index) => `note ${index + 1}`);
  for (const text of texts) await ada.write(text);
  await ada.page.getByRole("status").getByText(/Sent again in \d+ s/).first().waitFor();
  const log = await ada.settledLog(texts.length);
  assert.deepEqual(log.map((entry) => entry.text), texts);
});
