import { useEffect, useState } from "react";
import type { Room, RoomInfo } from "../../sdk";
import { useChat, useStore } from "../context";
import { roomName } from "../names";
import { goToRoom } from "../route";
import { RoomAvatar } from "../ui/Avatar";
import { Dialog } from "../ui/Dialog";
import { isComposing } from "../ui/enter";
import { Field, TaskError } from "../ui/Field";
import { Icon } from "../ui/Icon";
import { RoomName } from "../ui/Name";
import { useTask } from "../ui/useTask";
import { Members } from "./Members";
import { mayDescribe, placeOf } from "./permissions";

export function RoomDetails({ room, onClose }: { readonly room: Room; readonly onClose: () => void }) {
  const { info, members } = useStore(room.state);
  const { spaces } = useChat();
  useStore(spaces.list);
  const place = placeOf(info, spaces.roleIn(info.space_id));
  useEffect(() => void room.loadMembers(), [room]);
  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      // A dialog on top takes its own Escape.
      if (event.key === "Escape" && !isComposing(event) && document.querySelector("dialog[open]") === null) onClose();
    };
    window.addEventListener("keydown", close);
    return () => window.removeEventListener("keydown", close);
  }, [onClose]);
  return (
    <aside className="details" aria-label="Details">
      <header className="details-head">
        <h2>Details</h2>
        <button type="button" className="icon-button" aria-label="Close details" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div className="details-scroll">
        <div className="details-room">
          <RoomAvatar room={info} size={72} />
          <h3>
            <bdi>{roomName(info)}</bdi>
          </h3>
          {info.peer == null ? null : <p className="muted">@{info.peer.username}</p>}
        </div>
        {mayDescribe(place) ? <Describe key={`${info.name ?? ""}/${info.topic ?? ""}`} info={info} /> : <Topic info={info} />}
        {info.kind === "direct" ? null : <Members room={room} info={info} place={place} members={members} />}
        {info.kind === "direct" ? null : <Leave info={info} />}
      </div>
    </aside>
  );
}

function Topic({ info }: { readonly info: RoomInfo }) {
  const topic = info.topic?.trim() ?? "";
  return topic === "" ? null : <p className="details-topic" dir="auto">{topic}</p>;
}

/** Name and topic. Remounted when somebody else changes them, so that the fields never show the past. */
function Describe({ info }: { readonly info: RoomInfo }) {
  const { api } = useChat();
  const task = useTask();
  const [name, setName] = useState(info.name ?? "");
  const [topic, setTopic] = useState(info.topic ?? "");
  const changed = name.trim() !== (info.name ?? "") || topic.trim() !== (info.topic ?? "");
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        void task.run(() => api.updateRoom(info.id, { name: name.trim(), topic: topic.trim() }));
      }}
    >
      <Field label="Name" required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
      <Field label="Topic" maxLength={500} value={topic} onChange={(event) => setTopic(event.target.value)} />
      <TaskError task={task} />
      {changed ? (
        <button type="submit" className="button" disabled={task.busy || name.trim() === ""}>
          Save
        </button>
      ) : null}
    </form>
  );
}

function Leave({ info }: { readonly info: RoomInfo }) {
  const chat = useChat();
  const task = useTask();
  const [asking, setAsking] = useState(false);
  const leave = () =>
    task.run(async () => {
      await chat.leaveRoom(info.id);
      goToRoom(null, "replace");
    });
  return (
    <div className="details-leave">
      <button type="button" className="button button-quiet-danger" onClick={() => setAsking(true)}>
        <Icon name="sign-out" size={18} /> Leave
      </button>
      {asking ? (
        <Dialog title={<>Leave <RoomName room={info} />?</>} onClose={() => setAsking(false)}>
          <p>You will not see its messages any more unless somebody adds you again.</p>
          <TaskError task={task} />
          <div className="dialog-actions">
            <button type="button" className="button" onClick={() => setAsking(false)}>
              Stay
            </button>
            <button type="button" className="button button-danger" disabled={task.busy} onClick={() => void leave()}>
              Leave
            </button>
          </div>
        </Dialog>
      ) : null}
    </div>
  );
}
