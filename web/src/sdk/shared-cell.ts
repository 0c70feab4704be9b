/**
 * One value that all tabs agree on at once.
 *
 * localStorage will not do: a tab reads its own copy of it, which other processes update a moment later. A transaction
 * of IndexedDB sees everything that was committed before it began.
 */
export interface SharedCell {
  read(): Promise<unknown>;
  /** Done once other tabs can read it. */
  write(value: unknown): Promise<void>;
}

/** For tests, and for browsers that keep IndexedDB from us. */
export class MemoryCell implements SharedCell {
  private value: unknown = null;

  read(): Promise<unknown> {
    return Promise.resolve(this.value);
  }

  write(value: unknown): Promise<void> {
    this.value = value;
    return Promise.resolve();
  }
}

const STORE = "cells";

export class BrowserCell implements SharedCell {
  private database: Promise<IDBDatabase> | null = null;

  constructor(private readonly name: string) {}

  async read(): Promise<unknown> {
    try {
      const database = await this.open();
      return await finished(database.transaction(STORE, "readonly").objectStore(STORE).get(this.name));
    } catch {
      // Private windows of some browsers have no IndexedDB. What it guards against needs two tabs and bad luck.
      return null;
    }
  }

  async write(value: unknown): Promise<void> {
    try {
      const database = await this.open();
      const transaction = database.transaction(STORE, "readwrite");
      transaction.objectStore(STORE).put(value, this.name);
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
      });
    } catch {
      // As above.
    }
  }

  private open(): Promise<IDBDatabase> {
    this.database ??= new Promise((resolve, reject) => {
      const request = indexedDB.open("parlance", 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error("no database"));
    });
    // A failed opening is tried again by the next caller.
    this.database.catch(() => (this.database = null));
    return this.database;
  }
}

function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("failed"));
  });
}
