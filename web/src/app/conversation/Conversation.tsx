import { useCallback, useEffect, useState } from "react";
import type { Message, Room } from "../../sdk";
import { useChat, useStore, useStorePerFrame } from "../context";
import { placeOf } from "../details/permissions";
import { RoomDetails } from "../details/RoomDetails";
import { roomName } from "../names";
import { goToRoom } from "../route";
import { RoomAvatar } from "../ui/Avatar";
import { Icon } from "../ui/Icon";
import { AskedNote } from "./AskedNote";
import { Composer } from "./Composer";
import { DeleteMessage } from "./DeleteMessage";
import { EarlierVersions } from "./EarlierVersions";
import { changesIn, lastEditable } from "./editing";
import { Editor } from "./Editor";
import type { MessageAction } from "./MessageActions";
import { Timeline } from "./Timeline";

export function Conversation({ room }: { readonly room: Room }) {
  const { info, members } = useStorePerFrame(room.state);
  const { me, outbox, spaces } = useChat();
  useStore(spaces.list);
  const place = placeOf(info, spaces.roleIn(info.space_id));
  const [showsDetails, setShowsDetails] = useState(false);
  const [doing, setDoing] = useState<{ readonly action: MessageAction; readonly message: Message } | null>(null);
  const [hasEdited, setHasEdited] = useState(false);
  const act = useCallback((action: MessageAction, message: Message) => setDoing({ action, message }), []);
  const done = () => {
    // The cursor goes back to where one writes.
    if (doing?.action === "edit") setHasEdited(true);
    setDoing(null);
  };
  const editing = doing?.action === "edit" ? doing.message : null;
  const editLast = () => {
    const last = lastEditable(room.state.get().entries, me.id, changesIn(room.id, outbox.changes.get()));
    if (last !== null) act("edit", last);
  };
  useEffect(() => room.view(), [room]);
  const name = roomName(info);
  const topic = info.topic?.trim() ?? "";
  return (
    <div className="conversation">
      <section className="conversation-main" aria-label={name}>
        <header className="conversation-head">
          <button
            type="button"
            className="icon-button conversation-back"
            aria-label="Back to conversations"
            onClick={() => goToRoom(null)}
          >
            <Icon name="back" />
          </button>
          <RoomAvatar room={info} size={38} />
          <div className="conversation-title">
            <h2>
              <bdi>{name}</bdi>
            </h2>
            <p className="muted">
              {info.peer == null ? (info.member_count === 1 ? "Only you" : `${info.member_count} members`) : `@${info.peer.username}`}
              {topic === "" ? null : (
                <>
                  {" · "}
                  <bdi>{topic}</bdi>
                </>
              )}
            </p>
          </div>
          <button
            type="button"
            className="icon-button"
            aria-label="Details"
            title="Details"
            aria-expanded={showsDetails}
            onClick={() => setShowsDetails(!showsDetails)}
          >
            <Icon name="info" />
          </button>
        </header>
        <Timeline room={room} place={place} editing={editing} onAct={act} />
        <AskedNote info={info} members={members?.flatMap((member) => member.user?.id ?? []) ?? null} />
        {editing === null ? (
          <Composer roomId={room.id} name={name} focused={hasEdited} onEditLast={editLast} />
        ) : (
          <Editor key={editing.id} message={editing} onDone={done} />
        )}
      </section>
      {doing?.action === "delete" ? (
        <DeleteMessage message={doing.message} moderated={info.kind !== "direct"} onClose={done} />
      ) : null}
      {doing?.action === "look-back" ? <EarlierVersions message={doing.message} onClose={done} /> : null}
      {showsDetails ? <RoomDetails room={room} onClose={() => setShowsDetails(false)} /> : null}
    </div>
  );
}
