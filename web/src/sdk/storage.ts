/** Where the client keeps what must outlive a reload, shared by all tabs of one origin. */
export interface KeyValueStore {
  get(key: string): string | null;
  /** Throws when the browser has no room left. */
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(prefix: string): string[];
  /** Calls back when another tab changed a key; null stands for "anything may have changed". */
  onChange(listener: (key: string | null) => void): () => void;
}

/**
 * localStorage rather than IndexedDB: a message must be on disk before the key press that sent it is over, and only
 * this one is synchronous. One key an item, so that two tabs never overwrite each other's list.
 */
export class BrowserStore implements KeyValueStore {
  get(key: string): string | null {
    return localStorage.getItem(key);
  }

  set(key: string, value: string): void {
    localStorage.setItem(key, value);
  }

  remove(key: string): void {
    localStorage.removeItem(key);
  }

  keys(prefix: string): string[] {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  }

  onChange(listener: (key: string | null) => void): () => void {
    const handle = (event: StorageEvent) => {
      if (event.storageArea === localStorage) listener(event.key);
    };
    window.addEventListener("storage", handle);
    return () => window.removeEventListener("storage", handle);
  }
}

/** For tests and for programs without a browser. Several clients on one instance behave like tabs. */
export class MemoryStore implements KeyValueStore {
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

/** Web Locks: the browser frees them even when a tab crashes. Secure origins only, hence the fallback. */
export function browserLocks(): Locks {
  // The DOM types say that it is always there.
  const locks = (navigator as Partial<Navigator>).locks;
  if (locks === undefined) return new LocalLocks();
  return { run: async (name, hold) => await locks.request(name, hold) };
}
