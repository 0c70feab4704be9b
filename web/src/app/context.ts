/** The client library within reach of every component, and its stores as React state. */
import { createContext, use, useCallback, useMemo, useSyncExternalStore } from "react";
import { shownName, Store, type Chat, type LinkState, type ParlanceClient, type Party, type Person } from "../sdk";
import { Drafts } from "./drafts";

export const ClientContext = createContext<ParlanceClient | null>(null);
export const ChatContext = createContext<Chat | null>(null);

export function useClient(): ParlanceClient {
  const client = use(ClientContext);
  if (client === null) throw new Error("useClient outside of ClientContext");
  return client;
}

/** Drafts of the signed-in person. */
export function useDrafts(): Drafts {
  const { storage } = useClient();
  const { me } = useChat();
  return useMemo(() => new Drafts(storage, me.id), [storage, me.id]);
}

/** The chat of the signed-in person. */
export function useChat(): Chat {
  const chat = use(ChatContext);
  if (chat === null) throw new Error("useChat outside of ChatContext");
  return chat;
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** A burst of events (catching up after an absence) would otherwise render the list once an event. */
const FRAME_MS = 16;

/** Like `useStore`, for stores that change often: at most once a frame. */
export function useStorePerFrame<T>(store: Store<T>): T {
  const subscribe = useCallback(
    (changed: () => void) => {
      let timer: number | undefined;
      const unsubscribe = store.subscribe(() => {
        timer ??= window.setTimeout(() => {
          timer = undefined;
          changed();
        }, FRAME_MS);
      });
      return () => {
        unsubscribe();
        window.clearTimeout(timer);
      };
    },
    [store],
  );
  return useSyncExternalStore(subscribe, store.get);
}

export function useLink(): LinkState {
  return useStore(useChat().connection.state);
}

/** Null while the engine has not told us yet who that is. */
export function useUser(id: string): Person | null {
  return useStore(useChat().people.get(id));
}

const NOBODY = new Store<null>(null);

/** What a party is called, whatever it is; null while the engine has not told us, and of those whom it does not know. */
export function usePartyName(party: Party): string | null {
  const { people } = useChat();
  const user = useStore(party.type === "user" ? people.get(party.id) : NOBODY);
  const profile = useStore(party.type === "user" ? NOBODY : people.party(party));
  return user === null ? (profile?.name ?? null) : shownName(user);
}
