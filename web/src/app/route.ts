/** The open room is in the address, so that reload, back and bookmarks work. */
import { Store } from "../sdk";
import { useStore } from "./context";

const ROOM_PATH = /^\/room\/([^/]+)$/;

function roomInAddress(): string | null {
  return ROOM_PATH.exec(location.pathname)?.[1] ?? null;
}

const openRoom = new Store<string | null>(roomInAddress());
window.addEventListener("popstate", () => openRoom.set(roomInAddress()));

export function useOpenRoom(): string | null {
  return useStore(openRoom);
}

/** Null closes the room. `replace` leaves no way back, for rooms that are gone. */
export function goToRoom(id: string | null, how: "push" | "replace" = "push"): void {
  if (openRoom.get() === id) return;
  const path = id === null ? "/" : `/room/${id}`;
  if (how === "push") history.pushState(null, "", path);
  else history.replaceState(null, "", path);
  openRoom.set(id);
}
