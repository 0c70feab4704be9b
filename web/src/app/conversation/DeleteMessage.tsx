import { isOwn, type Message } from "../../sdk";
import { useChat } from "../context";
import { Dialog } from "../ui/Dialog";
import { TaskError } from "../ui/Field";
import { useTask } from "../ui/useTask";
import { MessageText } from "./MessageText";

interface DeleteMessageProps {
  readonly message: Message;
  /** Whether the room has people who still see what was deleted. */
  readonly moderated: boolean;
  readonly onClose: () => void;
}

export function DeleteMessage({ message, moderated, onClose }: DeleteMessageProps) {
  const { outbox, me } = useChat();
  const task = useTask();
  const remove = async () => {
    if (await task.run(() => Promise.resolve().then(() => outbox.delete(message)))) onClose();
  };
  return (
    <Dialog title={isOwn(message, me.id) ? "Delete your message?" : "Delete this message?"} onClose={onClose}>
      <blockquote className="quoted">
        <MessageText text={message.content} />
      </blockquote>
      <p>
        {moderated
          ? "Nobody can read it any more, but for the owners and admins of this conversation."
          : "Nobody can read it any more."}
      </p>
      <TaskError task={task} />
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Keep
        </button>
        <button type="button" className="button button-danger" disabled={task.busy} onClick={() => void remove()}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}
