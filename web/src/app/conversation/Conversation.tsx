import { useEffect, useState } from "react";
import type { Room } from "../../sdk";
import { useStorePerFrame } from "../context";
import { RoomDetails } from "../details/RoomDetails";
import { roomName } from "../names";
import { goToRoom } from "../route";
import { RoomAvatar } from "../ui/Avatar";
import { Icon } from "../ui/Icon";
import { AskedNote } from "./AskedNote";
import { Composer } from "./Composer";
import { Timeline } from "./Timeline";

export function Conversation({ room }: { readonly room: Room }) {
  const { info, members } = useStorePerFrame(room.state);
  const [showsDetails, setShowsDetails] = useState(false);
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
        <Timeline room={room} />
        <AskedNote info={info} members={members?.flatMap((member) => member.user?.id ?? []) ?? null} />
        <Composer roomId={room.id} name={name} />
      </section>
      {showsDetails ? <RoomDetails room={room} onClose={() => setShowsDetails(false)} /> : null}
    </div>
  );
}
