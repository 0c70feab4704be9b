import { useState, type KeyboardEvent } from "react";
import { describe, type Message } from "../../sdk";
import { useChat } from "../context";
import { Icon } from "../ui/Icon";
import { changesIn, textToEdit } from "./editing";
import { MessageField } from "./MessageField";

interface EditorProps {
  readonly message: Message;
  readonly onDone: () => void;
}

/** The composer while a message is edited: Enter saves, Escape leaves the message as it is. */
export function Editor({ message, onDone }: EditorProps) {
  const { outbox } = useChat();
  const [before] = useState(() =>
    textToEdit(message, changesIn(message.room_id, outbox.changes.get()).get(message.id) ?? null),
  );
  const [text, setText] = useState(before);
  const [problem, setProblem] = useState<string | null>(null);

  const save = (content: string) => {
    try {
      if (content !== message.content || before !== message.content) outbox.edit(message, content);
      onDone();
    } catch (error) {
      setProblem(describe(error));
    }
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    // It closes nothing else.
    event.stopPropagation();
    onDone();
  };

  return (
    <MessageField
      label="Edit message"
      text={text}
      problem={problem}
      focused
      submit={{ label: "Save", icon: "check" }}
      onText={(next) => {
        setText(next);
        setProblem(null);
      }}
      onSubmit={save}
      onKey={onKey}
    >
      <p className="composer-mode">
        <Icon name="compose" size={15} />
        <span>Editing your message</span>
        <button type="button" className="link-button" onClick={onDone}>
          Cancel
        </button>
      </p>
    </MessageField>
  );
}
