// Two people, one engine: from signing up to chatting.
import assert from "node:assert/strict";
import { assertOnceInOrder } from "./person.mjs";
import { stage, two } from "./story.mjs";

const story = stage();

story("two people chat in a direct room and in a group", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.page.getByText("No conversations yet").waitFor();

  await ada.openDirect(ben);
  await ada.write("Hello Ben");
  await ben.openRoom(ada.name);
  await ben.sees("Hello Ben");
  await ben.write("Hello Ada");
  await ada.sees("Hello Ada");
  await ada.message("Hello Ben").getByText("Read", { exact: true }).waitFor({ state: "attached" });

  await ben.createGroup("Garden", [ada]);
  await ben.write("Who waters the beans?");
  await ada.openRoom("Garden");
  await ada.sees("Who waters the beans?");
  await ada.write("I do");
  await ada.write("every\nevening".replace("\n", " "));
  await ben.sees("every evening");

  const texts = ["Who waters the beans?", "I do", "every evening"];
  assertOnceInOrder(await ada.settledLog(3), texts);
  assert.deepEqual(await ben.settledLog(3), await ada.log());
});

story("Shift+Enter starts a new line, Enter sends", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.openDirect(ben);
  await ada.composer().pressSequentially("one");
  await ada.composer().press("Shift+Enter");
  await ada.composer().pressSequentially("two");
  await ada.composer().press("Enter");
  await ben.openRoom(ada.name);
  await ben.message("one").waitFor();
  assert.equal((await ben.log())[0].text, "one\ntwo");
});

story("a wrong password is said next to the form, and the right one works afterwards", async ({ arrive }) => {
  const ada = await arrive("Ada");
  await ada.signUp();
  await ada.page.getByRole("button", { name: "Sign out" }).click();
  await ada.signIn("not her password");
  await ada.page.getByRole("alert").filter({ hasText: "wrong" }).waitFor();
  await ada.signIn();
  await ada.isConnected();
});

story("a field that is not acceptable is named where it is", async ({ arrive }) => {
  const ada = await arrive("Ada");
  ada.password = "short";
  const signingUp = ada.signUp();
  const note = ada.page.locator(".field", { hasText: "Password" }).locator(".field-error");
  await note.waitFor();
  assert.equal(await ada.page.getByLabel("Password").getAttribute("aria-invalid"), "true");
  await ada.page.getByLabel("Password").fill("a longer password");
  await ada.page.getByRole("button", { name: "Create account" }).click();
  await signingUp;
});

story("hostile text stays text, and links are safe", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
  await ada.openDirect(ben);
  await ada.write(hostile);
  await ada.write("javascript:alert(1) https://example.com/?q=<b>");
  await ben.openRoom(ada.name);
  await ben.message("javascript:").waitFor();
  assert.equal((await ben.log())[0].text, hostile);
  assert.equal(await ben.page.locator(".message img, .message script, .message b").count(), 0);
  const links = await ben.page.locator(".message a").evaluateAll((all) => all.map((a) => [a.href, a.rel, a.target]));
  assert.deepEqual(links, [["https://example.com/?q=", "noopener noreferrer nofollow", "_blank"]]);
  assert.doesNotMatch(await ben.page.title(), /owned/);
});

story("unread messages are counted, and reading takes the count away everywhere", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.openDirect(ben);
  for (const text of ["one", "two", "three"]) await ada.write(text);
  const badge = ben.item(ada.name).locator(".badge");
  await badge.getByText("3").waitFor();
  assert.match(await ben.page.title(), /^\(3\)/);

  const tab = await ben.context.newPage();
  await tab.goto(ben.engine.url);
  await tab.locator(".badge").getByText("3").waitFor();

  await ben.openRoom(ada.name);
  await badge.waitFor({ state: "detached" });
  await tab.locator(".badge").waitFor({ state: "detached" });
  await ben.page.reload();
  await ben.sees("three");
  assert.equal(await badge.count(), 0);
});

story("people come and go, and the room says so", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  const cleo = await arrive("Cleo");
  await cleo.signUp();
  await ada.createGroup("Choir", [ben]);
  await ben.openRoom("Choir");

  await ada.page.getByRole("button", { name: "Details" }).click();
  await ada.page.getByRole("button", { name: "Add people" }).click();
  await ada.pick("Find somebody", cleo);
  await ada.page.getByText(`Added: ${cleo.name}`).waitFor();
  await ada.page.keyboard.press("Escape");
  await ben.page.locator(".system").getByText(`${ada.name} added ${cleo.name}`).waitFor();
  await cleo.openRoom("Choir");
  await cleo.write("Good evening");
  await ben.sees("Good evening");

  await ada.page.getByRole("textbox", { name: "Name" }).fill("Chamber choir");
  await ada.page.getByRole("button", { name: "Save" }).click();
  await ben.page.getByRole("heading", { name: "Chamber choir", level: 2 }).waitFor();
  await ben.page.locator(".system").getByText("Chamber choir").waitFor();

  await ada.page.getByRole("textbox", { name: "Topic" }).fill("Bach on Mondays");
  await ada.page.getByRole("button", { name: "Save" }).click();
  await ben.page.locator(".system").getByText("set the topic to “Bach on Mondays”").waitFor();
  await ada.page.getByRole("textbox", { name: "Topic" }).fill("");
  await ada.page.getByRole("button", { name: "Save" }).click();
  await ben.page.locator(".system").getByText("removed the topic").waitFor();
  await ben.page.locator(".conversation-title").getByText("3 members", { exact: true }).waitFor();

  await ada.page.getByLabel(`Role of ${ben.name}`).selectOption("admin");
  await ben.page.locator(".system").getByText("you an admin").waitFor();

  await cleo.page.getByRole("button", { name: "Details" }).click();
  await cleo.page.getByRole("button", { name: "Leave" }).click();
  await cleo.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await cleo.page.getByText("No conversations yet").waitFor();
  await ben.page.locator(".system").getByText(`${cleo.name} left`).waitFor();
});

story("a draft stays with its room", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.createGroup("First", [ben]);
  await ada.composer().fill("half a thought");
  await ada.createGroup("Second", [ben]);
  assert.equal(await ada.composer().inputValue(), "");
  await ada.openRoom("First");
  assert.equal(await ada.composer().inputValue(), "half a thought");
  await ada.page.reload();
  await ada.isConnected();
  assert.equal(await ada.composer().inputValue(), "half a thought");
});

story("a long word wraps, and a text that is too long is not sent", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.openDirect(ben);
  await ada.write("x".repeat(3_000));
  await ada.message("xxx").waitFor();
  const [inner, outer] = await ada.page
    .locator(".timeline-scroll")
    .evaluate((element) => [element.scrollWidth, element.clientWidth]);
  assert.ok(inner <= outer, `the list is ${inner} px wide in ${outer} px`);

  await ada.composer().fill("y".repeat(32_769));
  await ada.page.getByText("too long").waitFor();
  await ada.composer().press("Enter");
  assert.equal(await ada.page.getByRole("button", { name: "Send" }).isDisabled(), true);
  // The longest text that JSON doubles: the frame around it must still be one that the engine reads.
  await ada.write("\n".repeat(10) + '"'.repeat(32_000));
  await ada.settledLog(2);
  assert.equal((await ada.log()).length, 2);
});

story("a message that the engine refuses says why, and can be tried again or discarded", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.openDirect(ben);
  await ada.write("before");
  await ada.sees("before");
  // What this page does not let anybody write, an older one may have left in the outbox.
  await ada.page.evaluate(() => {
    const { user } = JSON.parse(localStorage.getItem("parlance.session"));
    const clientId = crypto.randomUUID();
    const roomId = location.pathname.split("/").at(-1);
    const item = { clientId, roomId, content: "z".repeat(33_000), order: Date.now() };
    localStorage.setItem(`parlance.outbox.${user.id}.${clientId}`, JSON.stringify(item));
  });
  await ada.page.reload();
  const failure = ada.page.getByRole("alert").filter({ hasText: "Not sent" });
  await failure.getByText("32768").waitFor();
  await ada.write("after");
  await ben.openRoom(ada.name);
  await ben.sees("after");

  await failure.getByRole("button", { name: "Try again" }).click();
  await failure.getByText("32768").waitFor();
  await failure.getByRole("button", { name: "Discard" }).click();
  await failure.waitFor({ state: "detached" });
  assertOnceInOrder(await ben.log(), ["before", "after"]);
});

story("a space with a channel that somebody joins", async ({ arrive }) => {
  const { ada, ben } = await two(arrive);
  await ada.page.getByRole("button", { name: "New space" }).click();
  await ada.page.getByLabel("Space name").fill("School");
  await ada.page.getByRole("button", { name: "Create space" }).click();
  await ada.page.getByRole("button", { name: "New channel in School" }).click();
  await ada.page.getByLabel("Channel name").fill("homework");
  await ada.page.getByRole("button", { name: "Create channel" }).click();
  await ada.write("Page 12");
  await ada.sees("Page 12");
  await ada.page.getByRole("button", { name: "People of School" }).click();
  await ada.page.getByRole("button", { name: "Add people" }).click();
  await ada.pick("Find somebody", ben);
  await ada.page.getByText(`Added: ${ben.name}`).waitFor();

  await ben.page.reload();
  await ben.page.getByRole("button", { name: "Join homework" }).click();
  await ben.sees("Page 12");
  await ben.write("Thank you");
  await ada.page.keyboard.press("Escape");
  await ada.sees("Thank you");
});
