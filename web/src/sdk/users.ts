/** People by id, fetched once when somebody asks for their name; and which of them look alike. */
import type { Api } from "./api";
import { looksOf, shownName } from "./looks";
import { Store } from "./store";
import type { User } from "./types";

export class Users {
  /** Those of the people known here whose shown name could be taken for another's: their usernames tell them apart. */
  readonly alike = new Store<ReadonlySet<string>>(new Set());
  private readonly people = new Map<string, Store<User | null>>();
  /** Ids by what their names look like. */
  private readonly looks = new Map<string, Set<string>>();

  constructor(private readonly api: Pick<Api, "user">) {}

  /** Null until the engine has told us who that is. */
  get(id: string): Store<User | null> {
    const known = this.people.get(id);
    if (known !== undefined) return known;
    const store = this.storeOf(id);
    this.api.user(id).then(
      (user) => this.learn([user]),
      // Forgotten, so that the next one who asks tries again.
      () => this.people.delete(id),
    );
    return store;
  }

  /** Takes people along that came with another answer. */
  learn(users: Iterable<User>): void {
    const touched = new Set<string>();
    for (const user of users) {
      const store = this.storeOf(user.id);
      const before = store.get();
      if (before !== null) this.file(before).delete(user.id);
      const now = this.file(user);
      now.add(user.id);
      if (before !== null) touched.add(looksOf(shownName(before)));
      touched.add(looksOf(shownName(user)));
      store.set(user);
    }
    this.compare(touched);
  }

  private file(user: User): Set<string> {
    const key = looksOf(shownName(user));
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

  private storeOf(id: string): Store<User | null> {
    let store = this.people.get(id);
    if (store === undefined) {
      store = new Store<User | null>(null);
      this.people.set(id, store);
    }
    return store;
  }
}
