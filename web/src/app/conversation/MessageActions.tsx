import type { Message } from "../../sdk";
import { Icon, type IconName } from "../ui/Icon";

export type MessageAction = "edit" | "delete" | "look-back";
/** Somebody wants to do this to a message. */
export type Act = (action: MessageAction, message: Message) => void;

interface MessageActionsProps {
  readonly message: Message;
  readonly mayEdit: boolean;
  readonly mayDelete: boolean;
  readonly mayLookBack: boolean;
  readonly onAct: Act;
}

/** What one can do to a message: shown to whoever points at it, or comes there with the keyboard. */
export function MessageActions({ message, mayEdit, mayDelete, mayLookBack, onAct }: MessageActionsProps) {
  if (!mayEdit && !mayDelete && !mayLookBack) return null;
  const button = (action: MessageAction, icon: IconName, label: string) => (
    <button
      type="button"
      className="icon-button icon-button-small"
      aria-label={label}
      title={label}
      onClick={() => onAct(action, message)}
    >
      <Icon name={icon} size={16} />
    </button>
  );
  return (
    <span className="message-actions" role="group" aria-label="Actions">
      {mayLookBack ? button("look-back", "history", "Earlier versions") : null}
      {mayEdit ? button("edit", "compose", "Edit message") : null}
      {mayDelete ? button("delete", "trash", "Delete message") : null}
    </span>
  );
}
