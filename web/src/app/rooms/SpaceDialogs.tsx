import { useState } from "react";
import type { Space, User } from "../../sdk";
import { useChat } from "../context";
import { goToRoom } from "../route";
import { Dialog } from "../ui/Dialog";
import { Field, TaskError } from "../ui/Field";
import { PeopleNames } from "../ui/Name";
import { PeoplePicker } from "../ui/PeoplePicker";
import { useTask } from "../ui/useTask";

export function NewSpace({ onClose }: { readonly onClose: () => void }) {
  const { api } = useChat();
  return (
    <Dialog title="New space" onClose={onClose}>
      <p className="muted">A space holds channels for a team, a class or a club.</p>
      <NameForm
        label="Space name"
        action="Create space"
        onSubmit={async (name) => {
          await api.createSpace({ name });
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
        onSubmit={async (name) => {
          const room = await chat.createRoom({ kind: "channel", space_id: space.id, name, member_ids: [] });
          goToRoom(room.id);
          onClose();
        }}
      />
    </Dialog>
  );
}

export function SpacePeople({ space, onClose }: { readonly space: Space; readonly onClose: () => void }) {
  const { api, me } = useChat();
  const task = useTask();
  const [added, setAdded] = useState<readonly User[]>([]);
  const add = (user: User) =>
    task.run(async () => {
      await api.addSpaceMember(space.id, user.id);
      setAdded((before) => [...before, user]);
    });
  return (
    <Dialog title={<>Add people to <bdi>{space.name}</bdi></>} onClose={onClose}>
      <div className="form">
        <PeoplePicker
          label="Find somebody"
          exclude={[me.id, ...added.map((user) => user.id)]}
          busy={task.busy}
          onPick={(user) => void add(user)}
        />
        <TaskError task={task} />
        {added.length === 0 ? null : (
          <p role="status">
            Added: <PeopleNames users={added} />. They can join its channels now.</p>
        )}
      </div>
    </Dialog>
  );
}

interface NameFormProps {
  readonly label: string;
  readonly action: string;
  readonly onSubmit: (name: string) => Promise<void>;
}

function NameForm({ label, action, onSubmit }: NameFormProps) {
  const task = useTask();
  const [name, setName] = useState("");
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        void task.run(() => onSubmit(name.trim()));
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
