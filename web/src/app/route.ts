/** The open room is in the address, so that reload, back and bookmarks work. */
import { Store } from "../sdk";
import { useStore } from "./context";

const ROOM_PATH = /^\/room\/([^/]+)$/;

function roomInAddress(): string | null {
  return ROOM_PATH.exec(location.pathname)?.[1] ?? null;
}

/** Setting a new password by a link has a page of its own, whoever is signed in. */
type Page = "chat" | "reset";

function pageInAddress(): Page {
  return location.pathname === "/reset" ? "reset" : "chat";
}

const openRoom = new Store<string | null>(roomInAddress());
const page = new Store<Page>(pageInAddress());
window.addEventListener("popstate", () => {
  openRoom.set(roomInAddress());
  page.set(pageInAddress());
});

export function usePage(): Page {
  return useStore(page);
}

export function goToStart(): void {
  history.replaceState(null, "", "/");
  openRoom.set(null);
  page.set("chat");
}

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
