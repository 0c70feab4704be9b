import { useState, type KeyboardEvent } from "react";
import { describe } from "../../sdk";
import { useChat, useDrafts } from "../context";
import { isolated } from "../names";
import { MessageField } from "./MessageField";

interface ComposerProps {
  readonly roomId: string;
  readonly name: string;
  readonly focused: boolean;
  /** ArrowUp in the empty field. */
  readonly onEditLast: () => void;
}

/** Where new messages are written. */
export function Composer({ roomId, name, focused, onEditLast }: ComposerProps) {
  const { outbox } = useChat();
  const drafts = useDrafts();
  const [text, setText] = useState(() => drafts.read(roomId));
  const [problem, setProblem] = useState<string | null>(null);

  const change = (next: string) => {
    setText(next);
    setProblem(null);
    drafts.write(roomId, next);
  };
  const send = (content: string) => {
    try {
      outbox.post(roomId, content);
      change("");
    } catch (error) {
      setProblem(describe(error));
    }
  };
  const onKey = (event: KeyboardEvent) => {
    const plain = !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey;
    if (event.key !== "ArrowUp" || !plain || text !== "") return;
    event.preventDefault();
    onEditLast();
  };

  return (
    <MessageField
      label={`Message to ${name}`}
      placeholder={`Message ${isolated(name)}`}
      text={text}
      problem={problem}
      focused={focused}
      submit={{ label: "Send", icon: "send" }}
      onText={change}
      onSubmit={send}
      onKey={onKey}
    />
  );
}
