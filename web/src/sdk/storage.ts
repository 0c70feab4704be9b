import { Store } from "./store";

/** How much of what should outlive a reload really does. */
export type Keeping =
  /** Everything. */
  | "kept"
  /** The browser has no room left: some of it lives only as long as this page. */
  | "full"
  /** The browser lets us keep nothing, by its settings or in a private window. */
  | "refused";

/** Where the client keeps what must outlive a reload, shared by all tabs of one origin. */
export interface KeyValueStore {
  readonly keeping: Store<Keeping>;
  get(key: string): string | null;
  /** Throws `StorageFull` when not even this page's own memory takes it. */
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(prefix: string): string[];
  /** Calls back when another tab changed a key; null stands for "anything may have changed". */
  onChange(listener: (key: string | null) => void): () => void;
}

export class StorageFull extends Error {
  constructor() {
    super("This browser has no room left to keep anything. Close other pages of this site, or free some space.");
    this.name = "StorageFull";
  }
}

/** What is held in this page's memory because the browser does not keep it, in characters. Browsers keep about as much. */
const MEMORY_CHARS_MAX = 5_000_000;

/**
 * localStorage rather than IndexedDB: a message must be on disk before the key press that sent it is over, and only
 * this one is synchronous. One key an item, so that two tabs never overwrite each other's list.
 *
 * Every access may throw: site data may be blocked (then even naming `localStorage` throws), or the disk be full. What
 * the browser does not take lives in memory instead, as long as the page does, and `keeping` says so.
 */
export class BrowserStore implements KeyValueStore {
  readonly keeping = new Store<Keeping>("kept");
  /** What the browser did not take. It hides what storage may still have under the same key. */
  private readonly memory = new Map<string, string>();

  constructor(private readonly open: () => Storage | null = () => window.localStorage) {
    if (!this.isReadable()) this.keeping.set("refused");
  }

  get(key: string): string | null {
    return this.memory.get(key) ?? this.attempt((storage) => storage.getItem(key), null);
  }

  set(key: string, value: string): void {
    if (this.write(key, value)) {
      this.memory.delete(key);
      return;
    }
    // An old value must not come back after a reload: a refresh token that was spent would end the whole session. Its
    // room may also be what is missing.
    this.attempt((storage) => storage.removeItem(key), undefined);
    if (this.write(key, value)) {
      this.memory.delete(key);
      return;
    }
    this.keeping.set(this.isReadable() ? "full" : "refused");
    this.remember(key, value);
  }

  remove(key: string): void {
    this.memory.delete(key);
    this.attempt((storage) => storage.removeItem(key), undefined);
  }

  keys(prefix: string): string[] {
    const stored = this.attempt((storage) => Object.keys(storage), []);
    return [...new Set([...stored, ...this.memory.keys()])].filter((key) => key.startsWith(prefix));
  }

  onChange(listener: (key: string | null) => void): () => void {
    const handle = (event: StorageEvent) => {
      if (event.storageArea === this.storage()) listener(event.key);
    };
    window.addEventListener("storage", handle);
    return () => window.removeEventListener("storage", handle);
  }

  private isReadable(): boolean {
    return this.attempt((storage) => Number.isInteger(storage.length), false);
  }

  private write(key: string, value: string): boolean {
    return this.attempt((storage) => {
      storage.setItem(key, value);
      return true;
    }, false);
  }

  private remember(key: string, value: string): void {
    let chars = value.length;
    for (const [other, kept] of this.memory) chars += other === key ? 0 : kept.length;
    if (chars > MEMORY_CHARS_MAX) throw new StorageFull();
    this.memory.set(key, value);
  }

  private attempt<T>(access: (storage: Storage) => T, otherwise: T): T {
    const storage = this.storage();
    if (storage === null) return otherwise;
    try {
      return access(storage);
    } catch {
      return otherwise;
    }
  }

  /** Asked for each time: the browser may begin or stop to refuse while the page is open. */
  private storage(): Storage | null {
    try {
      return this.open();
    } catch {
      return null;
    }
  }
}

/** For tests and for programs without a browser. Several clients on one instance behave like tabs. */
export class MemoryStore implements KeyValueStore {
  readonly keeping = new Store<Keeping>("kept");
  private readonly values = new Map<string, string>();
  private readonly listeners = new Set<(key: string | null) => void>();

  get(key: string): string | null {
    return this.values.get(key) ?? null;
  }

  set(key: string, value: string): void {
    this.values.set(key, value);
    for (const listener of [...this.listeners]) listener(key);
  }

  remove(key: string): void {
    if (!this.values.delete(key)) return;
    for (const listener of [...this.listeners]) listener(key);
  }

  keys(prefix: string): string[] {
    return [...this.values.keys()].filter((key) => key.startsWith(prefix));
  }

  onChange(listener: (key: string | null) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }
}

/** Runs one holder of a name at a time, across all tabs. */
export interface Locks {
  run<T>(name: string, hold: () => Promise<T>): Promise<T>;
}

/** One holder at a time within this tab: for tests, and for origins where browsers offer no lock across tabs. */
export class LocalLocks implements Locks {
  private readonly tails = new Map<string, Promise<unknown>>();

  async run<T>(name: string, hold: () => Promise<T>): Promise<T> {
    const before = this.tails.get(name) ?? Promise.resolve();
    const mine = before.then(hold, hold);
    // A holder that failed must not fail the next one.
    const tail = mine.catch(() => undefined);
    this.tails.set(name, tail);
    try {
      return await mine;
    } finally {
      if (this.tails.get(name) === tail) this.tails.delete(name);
    }
  }
}

/**
 * Web Locks: the browser frees them even when a tab crashes. On secure origins only, and not where site data is
 * blocked, hence the fallback.
 */
export function browserLocks(found = (navigator as Partial<Navigator>).locks): Locks {
  const local = new LocalLocks();
  if (found === undefined) return local;
  return {
    async run(name, hold) {
      const holder = { begun: false };
      try {
        return await found.request(name, () => {
          holder.begun = true;
          return hold();
        });
      } catch (error) {
        // What the holder threw is the holder's; a lock that was never given is not worth stopping for.
        if (holder.begun) throw error;
        return local.run(name, hold);
      }
    },
  };
}
