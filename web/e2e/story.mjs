// A file of stories: one engine and one browser for all of them, and pictures of what everybody saw when one fails.
import { after, before, test } from "node:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Engine } from "./engine.mjs";
import { launchBrowser, Person } from "./person.mjs";

const RESULTS = join(import.meta.dirname, "..", "test-results");
const STORY_MS_MAX = 240_000;

export function stage(environment = {}) {
  const world = { engine: null, browser: null, people: 0 };
  before(async () => {
    world.engine = await Engine.start(environment);
    world.browser = await launchBrowser();
  });
  after(async () => {
    await world.browser?.close();
    await world.engine?.stop();
  });

  /** `tell` gets the engine and `arrive`, which brings in a person whose name nobody else has. */
  return function story(title, tell) {
    test(title, { timeout: STORY_MS_MAX }, async () => {
      // A story before this one may have failed while it was down.
      if (!world.engine.isRunning) await world.engine.serve();
      const present = [];
      const arrive = async (name, options) => {
        world.people += 1;
        const username = `${name.toLowerCase()}-${world.people}`;
        const full = `${name} ${String.fromCharCode(64 + world.people)}`;
        const person = await Person.arrive(world.browser, world.engine, username, full, options);
        present.push(person);
        return person;
      };
      try {
        await tell({ engine: world.engine, arrive });
        const errors = present.flatMap((person) => person.pageErrors);
        if (errors.length > 0) throw errors[0];
      } catch (error) {
        await takePictures(title, present);
        throw error;
      } finally {
        for (const person of present) await person.context.close();
      }
    });
  };
}

/** Two people with an account each. */
export async function two(arrive) {
  const ada = await arrive("Ada");
  const ben = await arrive("Ben");
  await ada.signUp();
  await ben.signUp();
  return { ada, ben };
}

async function takePictures(title, present) {
  await mkdir(RESULTS, { recursive: true });
  const name = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(0, 80);
  for (const person of present) {
    for (const [index, page] of person.context.pages().entries()) {
      await page.screenshot({ path: join(RESULTS, `${name}--${person.username}-${index}.png`) }).catch(() => undefined);
    }
  }
}
