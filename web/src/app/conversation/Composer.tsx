import { useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { describe, MESSAGE_BYTES_MAX, messageBytes } from "../../sdk";
import { useChat, useDrafts } from "../context";
import { isolated } from "../names";
import { isComposing, isMeantEnter } from "../ui/enter";
import { Icon } from "../ui/Icon";

interface ComposerProps {
  readonly roomId: string;
  readonly name: string;
}

/** From here on people see how much room is left. */
const WARN_BYTES = MESSAGE_BYTES_MAX * 0.9;
/** No text of fewer characters can come near the limit, so most key presses need no counting. */
const COUNT_FROM_CHARS = WARN_BYTES / 6;

/** Enter sends, Shift+Enter starts a new line. */
export function Composer({ roomId, name }: ComposerProps) {
  const { outbox } = useChat();
  const drafts = useDrafts();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(() => drafts.read(roomId));
  const [problem, setProblem] = useState<string | null>(null);
  const bytes = text.length < COUNT_FROM_CHARS ? 0 : messageBytes(text.trim());
  const tooLong = bytes > MESSAGE_BYTES_MAX;

  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  const change = (next: string) => {
    setText(next);
    setProblem(null);
    drafts.write(roomId, next);
  };
  const send = () => {
    const content = text.trim();
    field.current?.focus();
    if (content === "" || tooLong) return;
    try {
      outbox.post(roomId, content);
      change("");
    } catch (error) {
      setProblem(describe(error));
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event.nativeEvent)) return;
    // A held one would otherwise fill the empty field with lines.
    event.preventDefault();
    if (isMeantEnter(event.nativeEvent)) send();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="composer-field">
        <textarea
          ref={field}
          rows={1}
          aria-label={`Message to ${name}`}
          aria-describedby="composer-note"
          aria-invalid={tooLong}
          placeholder={`Message ${isolated(name)}`}
          value={text}
          onChange={(event) => change(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" className="send-button" aria-label="Send" disabled={text.trim() === "" || tooLong}>
          <Icon name="send" />
        </button>
      </div>
      <p id="composer-note" className="composer-note" role="status" data-wrong={tooLong || problem !== null}>
        {problem ?? (bytes > WARN_BYTES ? lengthNote(bytes) : null)}
      </p>
    </form>
  );
}

function lengthNote(bytes: number): string {
  const left = MESSAGE_BYTES_MAX - bytes;
  if (left >= 0) return `${left.toLocaleString()} bytes left`;
  return `${(-left).toLocaleString()} bytes too long. Send it in parts.`;
}
