import { useState } from "react";
import type { RoomsState } from "../../sdk";
import { useChat, useLink, useStorePerFrame } from "../context";
import { Icon } from "../ui/Icon";
import { Logo } from "../ui/Logo";
import { Invitations } from "./Invitations";
import { Me } from "./Me";
import { NewConversation } from "./NewConversation";
import { RoomItem } from "./RoomItem";
import { Teams } from "../teams/Teams";
import { Spaces } from "./Spaces";

export function Sidebar({ openId }: { readonly openId: string | null }) {
  const chat = useChat();
  const { known, list, more } = useStorePerFrame(chat.rooms.state);
  const [creating, setCreating] = useState(false);
  const conversations = list.filter((info) => info.space_id == null);
  return (
    <aside className="sidebar" aria-label="Conversations">
      <header className="sidebar-head">
        <Logo />
        <h1>Parlance</h1>
        <LinkDot />
        <button
          type="button"
          className="icon-button icon-button-accent"
          aria-label="New conversation"
          title="New conversation"
          onClick={() => setCreating(true)}
        >
          <Icon name="compose" />
        </button>
      </header>
      <nav className="sidebar-scroll" aria-label="Rooms">
        <Invitations />
        {known && conversations.length === 0 && more === "none" ? (
          <div className="sidebar-empty">
            <p>
              <strong>No conversations yet</strong>
            </p>
            <p className="muted">Find somebody and say hello.</p>
            <button type="button" className="button button-primary" onClick={() => setCreating(true)}>
              Start a conversation
            </button>
          </div>
        ) : null}
        <ul className="room-list">
          {conversations.map((info) => (
            <li key={info.id}>
              <RoomItem info={info} open={info.id === openId} />
            </li>
          ))}
        </ul>
        {more === "none" ? null : <MoreRooms state={more} onMore={() => void chat.rooms.loadMore()} />}
        <Spaces openId={openId} />
        <Teams />
      </nav>
      <Me />
      {creating ? <NewConversation onClose={() => setCreating(false)} /> : null}
    </aside>
  );
}

function MoreRooms({ state, onMore }: { readonly state: RoomsState["more"]; readonly onMore: () => void }) {
  return (
    <div className="more-rooms">
      {state === "failed" ? (
        <p className="muted" role="alert">
          The next rooms could not be loaded.
        </p>
      ) : null}
      <button type="button" className="small-button" disabled={state === "loading"} onClick={onMore}>
        {state === "loading" ? "Loading…" : state === "failed" ? "Try again" : "Show more rooms"}
      </button>
    </div>
  );
}

/** The quiet sign that all is well; the banner speaks when it is not. */
function LinkDot() {
  const link = useLink();
  const online = link.name === "online";
  return (
    <span className="link-dot" data-online={online} title={online ? "Connected" : "Not connected"}>
      <span className="visually-hidden">{online ? "Connected" : "Not connected"}</span>
    </span>
  );
}
