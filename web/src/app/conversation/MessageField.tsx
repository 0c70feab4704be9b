import { useEffect, useLayoutEffect, useRef, type KeyboardEvent, type ReactNode } from "react";
import { MESSAGE_BYTES_MAX, messageBytes } from "../../sdk";
import { isComposing, isMeantEnter } from "../ui/enter";
import { Icon, type IconName } from "../ui/Icon";

interface MessageFieldProps {
  readonly label: string;
  readonly placeholder?: string;
  readonly text: string;
  /** What went wrong. */
  readonly problem: string | null;
  /** The cursor goes there, behind the text, when it appears. */
  readonly focused: boolean;
  readonly submit: { readonly label: string; readonly icon: IconName };
  readonly onText: (text: string) => void;
  /** Gets the text without the space around it; never an empty one, and none that is too long. */
  readonly onSubmit: (content: string) => void;
  /** Keys before the field takes them. */
  readonly onKey: (event: KeyboardEvent) => void;
  /** Above the field. */
  readonly children?: ReactNode;
}

/** From here on people see how much room is left. */
const WARN_BYTES = MESSAGE_BYTES_MAX * 0.9;
/** No text of fewer characters can come near the limit, so most key presses need no counting. */
const COUNT_FROM_CHARS = WARN_BYTES / 6;

/** Where a message is written or edited. Enter submits, Shift+Enter starts a new line. */
export function MessageField(props: MessageFieldProps) {
  const { label, placeholder, text, problem, focused, submit, onText, onSubmit, onKey, children } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  const content = text.trim();
  const bytes = text.length < COUNT_FROM_CHARS ? 0 : messageBytes(content);
  const tooLong = bytes > MESSAGE_BYTES_MAX;

  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
  useEffect(() => {
    if (focused) focusEnd(field.current);
  }, [focused]);

  const take = () => {
    field.current?.focus();
    if (content !== "" && !tooLong) onSubmit(content);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    onKey(event);
    if (event.key !== "Enter" || event.shiftKey) return;
    // A held one would otherwise fill the empty field with lines.
    event.preventDefault();
    if (isMeantEnter(event.nativeEvent)) take();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        take();
      }}
    >
      {children}
      <div className="composer-field">
        <textarea
          ref={field}
          rows={1}
          aria-label={label}
          aria-describedby="composer-note"
          aria-invalid={tooLong}
          placeholder={placeholder}
          value={text}
          onChange={(event) => onText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" className="send-button" aria-label={submit.label} disabled={content === "" || tooLong}>
          <Icon name={submit.icon} />
        </button>
      </div>
      <p id="composer-note" className="composer-note" role="status" data-wrong={tooLong || problem !== null}>
        {problem ?? (bytes > WARN_BYTES ? lengthNote(bytes) : null)}
      </p>
    </form>
  );
}

function focusEnd(field: HTMLTextAreaElement | null): void {
  field?.focus();
  field?.setSelectionRange(field.value.length, field.value.length);
}

function lengthNote(bytes: number): string {
  const left = MESSAGE_BYTES_MAX - bytes;
  if (left >= 0) return `${left.toLocaleString()} bytes left`;
  return `${(-left).toLocaleString()} bytes too long. Send it in parts.`;
}
