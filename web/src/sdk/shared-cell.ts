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
/** Some browsers leave an opening or a transaction without any answer; nobody may wait for that for ever. */
const ANSWER_MS_MAX = 2_000;

export class BrowserCell implements SharedCell {
  private database: Promise<IDBDatabase> | null = null;

  constructor(private readonly name: string) {}

  read(): Promise<unknown> {
    return this.attempt((database) =>
      finished<unknown>(database.transaction(STORE, "readonly").objectStore(STORE).get(this.name)),
    );
  }

  async write(value: unknown): Promise<void> {
    await this.attempt(async (database) => {
      const transaction = database.transaction(STORE, "readwrite");
      transaction.objectStore(STORE).put(value, this.name);
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
      });
    });
  }

  /** Null when the browser keeps IndexedDB from us, has no room, or does not answer: then the engine's grace must do. */
  private async attempt<T>(use: (database: IDBDatabase) => Promise<T>): Promise<T | null> {
    try {
      return await inTime(this.open().then(use));
    } catch {
      // A connection that the browser has closed never works again.
      this.database = null;
      return null;
    }
  }

  private open(): Promise<IDBDatabase> {
    this.database ??= new Promise((resolve, reject) => {
      const request = indexedDB.open("parlance", 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error("no database"));
    });
    return this.database;
  }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer")), ANSWER_MS_MAX);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("failed"));
  });
}
