import { memo } from "react";
import type { ChangeEntry, Message, OutboxEntry, Party } from "../../sdk";
import { usePartyName, useUser } from "../context";
import { hueOf } from "../names";
import { fullTime, timeOf } from "../times";
import { Avatar } from "../ui/Avatar";
import { Icon } from "../ui/Icon";
import { PersonName } from "../ui/Name";
import { MessageActions, type Act } from "./MessageActions";
import { DeletedText, MessageText } from "./MessageText";
import { ProgressNotes, Tick } from "./Progress";
import type { Receipt } from "./receipts";

interface MessageRowProps {
  readonly message: Message;
  readonly own: boolean;
  readonly leads: boolean;
  readonly receipt: Receipt | null;
  /** Our latest edit or deletion of it that is not done yet. */
  readonly change: ChangeEntry | null;
  /** It is in the composer. */
  readonly edited: boolean;
  readonly mayEdit: boolean;
  readonly mayDelete: boolean;
  readonly mayLookBack: boolean;
  readonly onAct: Act;
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, own, leads, receipt, change } = props;
  const at = new Date(message.created_at);
  const state = change?.state ?? receipt;
  return (
    <article
      className="message"
      data-own={own}
      data-leads={leads}
      data-seq={message.seq}
      data-edited={props.edited}
      data-state={change?.state === "waiting" || change?.state === "sending" ? change.state : undefined}
    >
      {own ? null : <Sender sender={message.sender} leads={leads} />}
      {/* A finger does not hover: touching the bubble gives it the focus, which shows the buttons. */}
      <div className="bubble" tabIndex={-1}>
        {own || !leads ? null : <SenderName sender={message.sender} />}
        <PresentText message={message} change={change} />
        <span className="message-meta">
          <EditedMark message={message} />
          <time dateTime={message.created_at} title={fullTime(at)}>
            {timeOf(at)}
          </time>
          {state === null ? null : <Tick state={state} />}
        </span>
        <MessageActions {...props} />
      </div>
      {change === null ? null : <ProgressNotes entry={change} failed={change.becomes === null ? "Not deleted" : "Not changed"} />}
    </article>
  );
});

/** What it says; what we changed shows at once, unless the engine did not take it. */
function PresentText({ message, change }: Pick<MessageRowProps, "message" | "change">) {
  const pending = change === null || change.state === "failed" ? message : change.becomes;
  if (message.deleted_at != null || pending === null) return <DeletedText />;
  return <MessageText text={pending.content} />;
}

function EditedMark({ message }: { readonly message: Message }) {
  if (message.edited_at == null || message.deleted_at != null) return null;
  return (
    <time dateTime={message.edited_at} title={`Edited ${fullTime(new Date(message.edited_at))}`}>
      (edited)
    </time>
  );
}

/** What the engine itself says: nobody's bubble. */
export const NoticeRow = memo(function NoticeRow({ message, at }: { readonly message: Message; readonly at: Date }) {
  return (
    <article className="notice" data-seq={message.seq} aria-label="Notice">
      <Icon name="info" size={18} />
      <div>
        {message.deleted_at == null ? <MessageText text={message.content} /> : <DeletedText />}
        <time className="muted" dateTime={message.created_at} title={fullTime(at)}>
          {timeOf(at)}
        </time>
      </div>
    </article>
  );
});

/** A message that is not in the room's log yet. */
export function OutboxRow({ entry, leads }: { readonly entry: OutboxEntry; readonly leads: boolean }) {
  const at = new Date(entry.order);
  return (
    <article className="message" data-own="true" data-leads={leads} data-state={entry.state}>
      <div className="bubble">
        <MessageText text={entry.content} />
        <span className="message-meta">
          <time dateTime={at.toISOString()} title={fullTime(at)}>
            {timeOf(at)}
          </time>
          <Tick state={entry.state} />
        </span>
      </div>
      <ProgressNotes entry={entry} failed="Not sent" />
    </article>
  );
}

type AnySender = Message["sender"];

/** The sender as a party; only the engine itself is none, and its messages are notices. */
function partyOf(sender: AnySender): Party {
  return { type: sender.type === "system" ? "user" : sender.type, id: sender.id ?? "" };
}

function Sender({ sender, leads }: { readonly sender: AnySender; readonly leads: boolean }) {
  const party = partyOf(sender);
  const name = usePartyName(party);
  return <span className="message-avatar">{leads ? <Avatar id={party.id} name={name ?? ""} size={32} /> : null}</span>;
}

function SenderName({ sender }: { readonly sender: AnySender }) {
  const party = partyOf(sender);
  return (
    <span className="message-sender" style={{ "--hue": hueOf(party.id) } as React.CSSProperties}>
      {party.type === "user" ? <UserName id={party.id} /> : <PartyName party={party} />}
    </span>
  );
}

/** Somebody whom the engine does not know any more wrote this all the same. */
function UserName({ id }: { readonly id: string }) {
  const user = useUser(id);
  return user === null ? "Somebody" : <PersonName user={user} />;
}

function PartyName({ party }: { readonly party: Party }) {
  return <bdi>{usePartyName(party) ?? "Somebody"}</bdi>;
}
