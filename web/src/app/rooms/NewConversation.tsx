import { useState, type ReactNode } from "react";
import { newId, type User } from "../../sdk";
import { useChat } from "../context";
import { goToRoom } from "../route";
import { Dialog } from "../ui/Dialog";
import { Field, TaskError } from "../ui/Field";
import { PersonName } from "../ui/Name";
import { PeoplePicker } from "../ui/PeoplePicker";
import { useTask } from "../ui/useTask";

export function NewConversation({ onClose }: { readonly onClose: () => void }) {
  const [kind, setKind] = useState<"direct" | "group">("direct");
  return (
    <Dialog title="New conversation" onClose={onClose}>
      <div className="segments" role="group" aria-label="Kind of conversation">
        <button type="button" aria-pressed={kind === "direct"} onClick={() => setKind("direct")}>
          Direct message
        </button>
        <button type="button" aria-pressed={kind === "group"} onClick={() => setKind("group")}>
          Group
        </button>
      </div>
      {kind === "direct" ? <NewDirect onClose={onClose} /> : <NewGroup onClose={onClose} />}
    </Dialog>
  );
}

function NewDirect({ onClose }: { readonly onClose: () => void }) {
  const chat = useChat();
  const task = useTask();
  const open = (user: User) =>
    task.run(async () => {
      const room = await chat.createRoom({ kind: "direct", member_ids: [user.id] });
      goToRoom(room.id);
      onClose();
    });
  return (
    <div className="form">
      <PeoplePicker label="Find somebody" exclude={[chat.me.id]} busy={task.busy} onPick={(user) => void open(user)} />
      <TaskError task={task} />
    </div>
  );
}

function NewGroup({ onClose }: { readonly onClose: () => void }) {
  const chat = useChat();
  const task = useTask();
  const [name, setName] = useState("");
  // One for the dialog: whatever became of the first try, the next one makes no second group.
  const [clientId] = useState(newId);
  const [people, setPeople] = useState<readonly User[]>([]);
  const create = () =>
    task.run(async () => {
      const member_ids = people.map((user) => user.id);
      const room = await chat.createRoom({ kind: "group", name: name.trim(), member_ids, client_id: clientId });
      goToRoom(room.id);
      onClose();
    });
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <Field label="Group name" required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
      <PeoplePicker
        label="People"
        exclude={[chat.me.id, ...people.map((user) => user.id)]}
        chosen={people}
        onPick={(user) => setPeople([...people, user])}
        onDrop={(user) => setPeople(people.filter((person) => person.id !== user.id))}
      />
      <TaskError task={task} />
      <button type="submit" className="button button-primary" disabled={task.busy || name.trim() === "" || people.length === 0}>
        {task.busy ? "Creating…" : createLabel(people)}
      </button>
    </form>
  );
}

function createLabel(people: readonly User[]): ReactNode {
  const [first] = people;
  if (first === undefined) return "Create group";
  return people.length === 1 ? <span>Create group with <PersonName user={first} /></span> : `Create group with ${people.length} people`;
}
