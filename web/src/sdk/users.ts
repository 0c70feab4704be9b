/** People by id, fetched once when somebody asks for their name. */
import type { Api } from "./api";
import { Store } from "./store";
import type { User } from "./types";

export class Users {
  private readonly people = new Map<string, Store<User | null>>();

  constructor(private readonly api: Pick<Api, "user">) {}

  /** Null until the engine has told us who that is. */
  get(id: string): Store<User | null> {
    const known = this.people.get(id);
    if (known !== undefined) return known;
    const store = this.storeOf(id);
    this.api.user(id).then(
      (user) => store.set(user),
      // Forgotten, so that the next one who asks tries again.
      () => this.people.delete(id),
    );
    return store;
  }

  /** Takes people along that came with another answer. */
  learn(users: Iterable<User>): void {
    for (const user of users) this.storeOf(user.id).set(user);
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
