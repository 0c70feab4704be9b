import { useCallback } from "react";
import type { Message } from "../../sdk";
import { useChat } from "../context";
import { fullTime } from "../times";
import { Dialog } from "../ui/Dialog";
import { FormError } from "../ui/Field";
import { useLoaded } from "../ui/useLoaded";
import { MessageText } from "./MessageText";

/** What a message said before it was edited or deleted, for whoever moderates the room. */
export function EarlierVersions({ message, onClose }: { readonly message: Message; readonly onClose: () => void }) {
  const { api } = useChat();
  const { room_id: roomId, id } = message;
  const { value: versions, problem } = useLoaded(useCallback(() => api.messageVersions(roomId, id), [api, roomId, id]));
  return (
    <Dialog title="Earlier versions" onClose={onClose}>
      <FormError>{problem}</FormError>
      {versions === null && problem === null ? <p className="muted">Loading…</p> : null}
      {versions?.length === 0 ? <p className="muted">There are none.</p> : null}
      <ol className="versions">
        {versions?.map((version) => (
          <li key={version.seq} className="quoted">
            <MessageText text={version.content} />
            <time className="muted" dateTime={version.until}>
              until {fullTime(new Date(version.until))}
            </time>
          </li>
        ))}
      </ol>
    </Dialog>
  );
}
