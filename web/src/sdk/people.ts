/**
 * Who anybody is: people, and parties of other kinds, fetched when somebody asks for their name; and which people look
 * alike.
 *
 * Those who are asked for at the same moment are asked of the engine together. Whoever it does not know is not asked for
 * again for a while, however often their name is wanted.
 */
import type { Api } from "./api";
import type { Clock } from "./clock";
import { looksOf, shownName } from "./looks";
import { Store } from "./store";
import type { Party, PartyProfile, Person } from "./types";

/** As many as one request may ask for. */
const ASKED_AT_ONCE = 100;
/** Whoever is not there, or not ours to see, may be so later. */
const UNKNOWN_MS = 60_000;
/** After a request that failed. */
const FAILED_MS = 5_000;

export class People {
  /** Those of the people known here whose shown name could be taken for another's: their usernames tell them apart. */
  readonly alike = new Store<ReadonlySet<string>>(new Set());
  private readonly people = new Map<string, Store<Person | null>>();
  private readonly parties = new Map<string, Store<PartyProfile | null>>();
  /** Ids by what their names look like. */
  private readonly looks = new Map<string, Set<string>>();
  /** What the next request asks for. */
  private readonly wanted = new Set<string>();
  /** Whom not to ask for before. */
  private readonly notBefore = new Map<string, number>();

  constructor(
    private readonly api: Pick<Api, "parties">,
    private readonly clock: Pick<Clock, "now" | "after">,
  ) {}

  /** A person; null until the engine has told us who that is, and of people who are no more. */
  get(id: string): Store<Person | null> {
    const store = storeIn(this.people, id);
    if (store.get() === null) this.ask(`user:${id}`);
    return store;
  }

  /** Somebody who is no person: an agent, a team, a contact. */
  party(party: Party): Store<PartyProfile | null> {
    const key = keyOf(party);
    const store = storeIn(this.parties, key);
    if (store.get() === null) this.ask(key);
    return store;
  }

  /** Takes people along that came with another answer. */
  learn(people: Iterable<Person>): void {
    const touched = new Set<string>();
    for (const person of people) {
      const store = storeIn(this.people, person.id);
      const before = store.get();
      if (before !== null) this.file(before).delete(person.id);
      const now = this.file(person);
      now.add(person.id);
      if (before !== null) touched.add(looksOf(shownName(before)));
      touched.add(looksOf(shownName(person)));
      store.set(person);
    }
    this.compare(touched);
  }

  /** The same for parties of every kind. */
  learnParties(profiles: Iterable<PartyProfile>): void {
    const people: Person[] = [];
    for (const profile of profiles) {
      if (profile.type === "user") people.push(personOf(profile));
      else storeIn(this.parties, keyOf(profile)).set(profile);
    }
    this.learn(people);
  }

  private ask(key: string): void {
    if (this.wanted.has(key) || (this.notBefore.get(key) ?? 0) > this.clock.now()) return;
    if (this.wanted.size === 0) this.clock.after(0, () => this.askAll());
    this.wanted.add(key);
  }

  private askAll(): void {
    const keys = [...this.wanted];
    this.wanted.clear();
    for (let first = 0; first < keys.length; first += ASKED_AT_ONCE) {
      void this.askFor(keys.slice(first, first + ASKED_AT_ONCE));
    }
  }

  private async askFor(keys: readonly string[]): Promise<void> {
    // Until there is an answer, nobody asks a second time.
    this.pause(keys, Infinity);
    try {
      this.learnParties((await this.api.parties(keys)).parties);
      this.pause(keys, this.clock.now() + UNKNOWN_MS);
    } catch {
      this.pause(keys, this.clock.now() + FAILED_MS);
    }
  }

  private pause(keys: readonly string[], until: number): void {
    for (const key of keys) this.notBefore.set(key, until);
  }

  private file(person: Person): Set<string> {
    const key = looksOf(shownName(person));
    let ids = this.looks.get(key);
    if (ids === undefined) {
      ids = new Set();
      this.looks.set(key, ids);
    }
    return ids;
  }

  private compare(touched: ReadonlySet<string>): void {
    const before = this.alike.get();
    const alike = new Set(before);
    for (const key of touched) {
      const ids = this.looks.get(key) ?? new Set<string>();
      for (const id of ids) {
        if (ids.size > 1) alike.add(id);
        else alike.delete(id);
      }
    }
    const same = alike.size === before.size && [...alike].every((id) => before.has(id));
    if (!same) this.alike.set(alike);
  }
}

function keyOf(party: Party): string {
  return `${party.type}:${party.id}`;
}

function personOf({ id, name, username, avatar_url }: PartyProfile): Person {
  return { id, username: username ?? name, full_name: name, avatar_url: avatar_url ?? null };
}

function storeIn<T>(stores: Map<string, Store<T | null>>, key: string): Store<T | null> {
  let store = stores.get(key);
  if (store === undefined) {
    store = new Store<T | null>(null);
    stores.set(key, store);
  }
  return store;
}
