import { useState } from "react";
import { newId, type Space } from "../../sdk";
import { useChat } from "../context";
import { goToRoom } from "../route";
import { Dialog } from "../ui/Dialog";
import { Field, TaskError } from "../ui/Field";
import { useTask } from "../ui/useTask";

export function NewSpace({ onClose }: { readonly onClose: () => void }) {
  const chat = useChat();
  return (
    <Dialog title="New space" onClose={onClose}>
      <p className="muted">A space holds channels for a team, a class or a club.</p>
      <NameForm
        label="Space name"
        action="Create space"
        onSubmit={async (name, client_id) => {
          await chat.createSpace({ name, client_id });
          onClose();
        }}
      />
    </Dialog>
  );
}

export function NewChannel({ space, onClose }: { readonly space: Space; readonly onClose: () => void }) {
  const chat = useChat();
  return (
    <Dialog title={<>New channel in <bdi>{space.name}</bdi></>} onClose={onClose}>
      <NameForm
        label="Channel name"
        action="Create channel"
        onSubmit={async (name, client_id) => {
          const room = await chat.createRoom({ kind: "channel", space_id: space.id, name, member_ids: [], client_id });
          goToRoom(room.id);
          onClose();
        }}
      />
    </Dialog>
  );
}

/** What a new thing is called. */
interface NameFormProps {
  readonly label: string;
  readonly action: string;
  readonly onSubmit: (name: string, clientId: string) => Promise<void>;
}

export function NameForm({ label, action, onSubmit }: NameFormProps) {
  const task = useTask();
  const [name, setName] = useState("");
  // One for the dialog: whatever became of the first try, the next one makes nothing twice.
  const [clientId] = useState(newId);
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        void task.run(() => onSubmit(name.trim(), clientId));
      }}
    >
      <Field label={label} autoFocus required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
      <TaskError task={task} />
      <button type="submit" className="button button-primary" disabled={task.busy || name.trim() === ""}>
        {action}
      </button>
    </form>
  );
}
