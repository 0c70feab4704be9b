// People in front of browsers: what they click and what they see.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const WAIT_MS = 20_000;

export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // A name that is not secure by its nature, as localhost is: an engine on somebody's own network.
      "--host-resolver-rules=MAP parlance.test 127.0.0.1",
    ],
  });
}

export class Person {
  /** A browser of their own: nothing is shared with other people. */
  static async arrive(browser, engine, username, name, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1100, height: 720 }, locale: "en-GB", ...options });
    const page = await context.newPage();
    const person = new Person(engine, context, page, username, name);
    page.setDefaultTimeout(WAIT_MS);
    page.on("pageerror", (error) => person.pageErrors.push(error));
    return person;
  }

  constructor(engine, context, page, username, name) {
    this.engine = engine;
    this.context = context;
    this.page = page;
    this.username = username;
    this.name = name;
    this.password = `the password of ${username}`;
    this.pageErrors = [];
    this.origin = engine.url;
  }

  async signUp() {
    const { page } = this;
    await page.goto(this.origin);
    await page.getByRole("button", { name: "Create an account" }).click();
    await page.getByLabel("Your name").fill(this.name);
    await page.getByLabel("Username").fill(this.username);
    await page.getByLabel("Email").fill(`${this.username}@example.com`);
    await page.getByLabel("Password").fill(this.password);
    await page.getByRole("button", { name: "Create account" }).click();
    await this.isConnected();
  }

  async signIn(password = this.password) {
    const { page } = this;
    await page.getByLabel("Username or email").fill(this.username);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
  }

  /** Signs in on a browser that shows nothing yet. */
  async comeIn(password = this.password) {
    await this.page.goto(this.origin);
    await this.signIn(password);
    await this.isConnected();
  }

  async openAccount() {
    await this.page.getByRole("button", { name: "Your account" }).click();
    return this.page.getByRole("dialog");
  }

  async isConnected() {
    await this.page.locator('.link-dot[data-online="true"]').waitFor({ state: "attached" });
  }

  async isDisconnected() {
    await this.page.locator('.link-dot[data-online="false"]').waitFor({ state: "attached" });
  }

  async openDirect(other) {
    const { page } = this;
    await page.getByRole("button", { name: "New conversation" }).click();
    await this.pick("Find somebody", other);
    await page.getByRole("heading", { name: other.name, level: 2 }).waitFor();
  }

  /** Finds somebody by username and chooses them. */
  async pick(field, other) {
    await this.page.getByRole("combobox", { name: field }).fill(other.username);
    const username = this.page.getByText(`@${other.username}`, { exact: true });
    // Not from the list of before, which may go between pressing and releasing the button.
    const found = this.page.locator('[role="listbox"][aria-busy="false"]').getByRole("option");
    await found.filter({ has: username }).click();
  }

  async createGroup(title, others) {
    const { page } = this;
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.getByRole("button", { name: "Group" }).click();
    await page.getByLabel("Group name").fill(title);
    for (const other of others) {
      await this.pick("People", other);
    }
    await page.getByRole("button", { name: /^Create group/ }).click();
    await page.getByRole("heading", { name: title, level: 2 }).waitFor();
  }

  item(title) {
    return this.page.getByRole("navigation").getByRole("link").filter({ hasText: title });
  }

  async openRoom(title) {
    await this.item(title).click();
    await this.page.getByRole("heading", { name: title, level: 2 }).waitFor();
  }

  composer() {
    return this.page.getByRole("textbox", { name: /^Message to / });
  }

  async write(text) {
    await this.composer().fill(text);
    await this.composer().press("Enter");
  }

  message(text) {
    return this.page.locator(".message").filter({ has: this.page.locator(".message-text", { hasText: text }) });
  }

  async sees(text) {
    await this.page.locator(".message[data-seq] .message-text").getByText(text, { exact: true }).first().waitFor();
  }

  /** The messages of the room's log on the page, as { seq, text }; what still waits to be sent is not among them. */
  log() {
    return this.page.$$eval(".message[data-seq]", (rows) =>
      rows.map((row) => ({
        seq: Number(row.getAttribute("data-seq")),
        text: row.querySelector(".message-text").textContent,
      })),
    );
  }

  waiting() {
    return this.page.locator('.message[data-state="waiting"], .message[data-state="sending"]').count();
  }

  /** Waits until everything is sent and `count` messages are there, and gives them. */
  async settledLog(count) {
    await this.page
      .waitForFunction(
        (wanted) =>
          document.querySelectorAll(".message[data-state]").length === 0 &&
          document.querySelectorAll(".message[data-seq]").length >= wanted,
        count,
        { timeout: 60_000 },
      )
      .catch(() => undefined);
    return this.log();
  }

  async scrollTo(position) {
    await this.page.locator(".timeline-scroll").evaluate((element, where) => {
      element.scrollTop = where === "top" ? 0 : element.scrollHeight;
    }, position);
  }
}

/** Every message once, and in one order: the order of `seq`, which nobody else may have seen differently. */
export function assertOnceInOrder(log, texts) {
  const seqs = log.map((entry) => entry.seq);
  assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b), "the messages are out of order");
  assert.deepEqual(log.map((entry) => entry.text).sort(), [...texts].sort(), "not every message is there once");
}
