import { useEffect, useState } from "react";
import { useChat, useStorePerFrame } from "./context";
import { Conversation } from "./conversation/Conversation";
import { isolated, roomName } from "./names";
import { LinkBanner } from "./rooms/LinkBanner";
import { Sidebar } from "./rooms/Sidebar";
import { goToRoom, useOpenRoom } from "./route";
import { Logo } from "./ui/Logo";
import { StorageNotice } from "./ui/StorageNotice";

/** The page of a signed-in person: rooms on the left, the open one on the right; on a phone, one of the two. */
export function Shell() {
  const chat = useChat();
  const { known, list } = useStorePerFrame(chat.rooms.state);
  const openId = useOpenRoom();
  const open = openId === null ? undefined : chat.rooms.get(openId);
  const isOpen = open !== undefined && list.some((info) => info.id === openId);
  const searching = useUnlisted(known && !isOpen ? openId : null);

  const unread = list.reduce((sum, info) => sum + info.unread, 0);
  const title = isOpen ? isolated(roomName(open.info)) : "Parlance";
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) ${title}` : title;
  }, [unread, title]);

  return (
    <div className="shell" data-room={openId === null ? "none" : "open"}>
      <Sidebar openId={openId} />
      <main className="shell-main">
        <LinkBanner />
        <StorageNotice />
        {isOpen ? <Conversation key={open.key} room={open} /> : <NoRoom known={known && !searching} missing={openId !== null} />}
      </main>
    </div>
  );
}

/** Asks for a room that is open by its address, because a long list may not have it. True until the answer is here. */
function useUnlisted(id: string | null): boolean {
  const { rooms } = useChat();
  const [answered, setAnswered] = useState<string | null>(null);
  useEffect(() => {
    if (id === null) return;
    let wanted = true;
    const done = () => wanted && setAnswered(id);
    rooms.find(id).then(done, done);
    return () => {
      wanted = false;
    };
  }, [rooms, id]);
  return id !== null && answered !== id;
}

function NoRoom({ known, missing }: { readonly known: boolean; readonly missing: boolean }) {
  // Before the first answer nothing is missing yet, and a message that flashes by would be wrong.
  const [patient, setPatient] = useState(true);
  useEffect(() => {
    const timer = window.setTimeout(() => setPatient(false), 300);
    return () => window.clearTimeout(timer);
  }, []);
  if (!known) {
    return (
      <div className="placeholder" role="status">
        {patient ? null : <p className="muted">Loading your conversations…</p>}
      </div>
    );
  }
  if (missing) {
    return (
      <div className="placeholder">
        <h2>This conversation is not here</h2>
        <p className="muted">It does not exist, or you are not a member of it.</p>
        <button type="button" className="button" onClick={() => goToRoom(null, "replace")}>
          Back to your conversations
        </button>
      </div>
    );
  }
  return (
    <div className="placeholder">
      <Logo size={56} />
      <h2>Pick a conversation</h2>
      <p className="muted">Choose one from the list, or start a new one with the pencil.</p>
    </div>
  );
}
