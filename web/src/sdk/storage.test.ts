import { describe, expect, test } from "vitest";
import { BrowserStore, browserLocks, StorageFull, type Locks } from "./storage";

/** localStorage of a browser that may be full, block everything, or only writing. */
class FakeStorage {
  readonly values = new Map<string, string>();
  room = Infinity;
  blocked = false;

  get length(): number {
    this.check();
    return this.values.size;
  }

  private check(): void {
    if (this.blocked) throw new DOMException("denied", "SecurityError");
  }

  getItem(key: string): string | null {
    this.check();
    return this.values.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.check();
    let used = value.length;
    for (const [other, kept] of this.values) used += other === key ? 0 : kept.length;
    if (used > this.room) throw new DOMException("full", "QuotaExceededError");
    this.values.set(key, value);
  }

  removeItem(key: string): void {
    this.check();
    this.values.delete(key);
  }
}

/** As a `Storage`: its keys are its own properties, as in a browser. */
function storeOn(fake: FakeStorage): BrowserStore {
  const storage = new Proxy(fake, { ownKeys: () => [...fake.values.keys()], getOwnPropertyDescriptor: descriptor });
  return new BrowserStore(() => storage as unknown as Storage);
}

function descriptor(): PropertyDescriptor {
  return { configurable: true, enumerable: true };
}

describe("a browser that keeps nothing", () => {
  test("has a store that works as long as the page, and says so", () => {
    const store = new BrowserStore(() => {
      throw new DOMException("denied", "SecurityError");
    });
    expect(store.keeping.get()).toBe("refused");
    expect(store.get("a")).toBeNull();
    store.set("a", "1");
    expect(store.get("a")).toBe("1");
    expect(store.keys("")).toEqual(["a"]);
    store.remove("a");
    expect(store.get("a")).toBeNull();
  });

  test("may have no localStorage at all", () => {
    const store = new BrowserStore(() => null);
    expect(store.keeping.get()).toBe("refused");
    store.set("a", "1");
    expect(store.get("a")).toBe("1");
  });

  test("may begin to refuse while the page is open", () => {
    const fake = new FakeStorage();
    const store = storeOn(fake);
    store.set("a", "1");
    fake.blocked = true;
    store.set("a", "2");
    expect(store.get("a")).toBe("2");
    expect(store.keeping.get()).toBe("refused");
  });
});

describe("a full browser", () => {
  test("keeps in memory what it does not take, and takes it later", () => {
    const fake = new FakeStorage();
    const store = storeOn(fake);
    store.set("big", "x".repeat(10));
    fake.room = 10;
    store.set("new", "12345");
    expect(store.keeping.get()).toBe("full");
    expect(store.get("new")).toBe("12345");
    expect(store.keys("").sort()).toEqual(["big", "new"]);
    store.remove("big");
    store.set("new", "67890");
    expect(fake.values.get("new")).toBe("67890");
    expect(store.get("new")).toBe("67890");
  });

  test("never shows an old value again", () => {
    const fake = new FakeStorage();
    const store = storeOn(fake);
    store.set("token", "old");
    fake.room = 0;
    store.set("token", "new");
    expect(storeOn(fake).get("token")).toBeNull();
    expect(store.get("token")).toBe("new");
  });

  test("gives an old value's room to the new one", () => {
    const fake = new FakeStorage();
    const store = storeOn(fake);
    store.set("token", "12345");
    fake.room = 5;
    store.set("token", "67890");
    expect(store.keeping.get()).toBe("kept");
    expect(fake.values.get("token")).toBe("67890");
  });

  test("does not fill the memory without end", () => {
    const store = new BrowserStore(() => null);
    store.set("a", "x".repeat(4_000_000));
    expect(() => store.set("b", "x".repeat(2_000_000))).toThrow(StorageFull);
    store.set("a", "x");
    store.set("b", "x".repeat(2_000_000));
  });
});

describe("locks", () => {
  const denied = { request: () => Promise.reject(new DOMException("denied", "SecurityError")) };

  test("that the browser refuses are held within this tab", async () => {
    const locks: Locks = browserLocks(denied as unknown as LockManager);
    await expect(locks.run("a", () => Promise.resolve(1))).resolves.toBe(1);
  });

  test("pass on what their holder threw, and do not run it twice", async () => {
    let runs = 0;
    const granting = { request: (_name: string, hold: () => Promise<unknown>) => hold() };
    const locks = browserLocks(granting as unknown as LockManager);
    const failing = () => {
      runs += 1;
      return Promise.reject(new Error("mine"));
    };
    await expect(locks.run("a", failing)).rejects.toThrow("mine");
    expect(runs).toBe(1);
  });
});
