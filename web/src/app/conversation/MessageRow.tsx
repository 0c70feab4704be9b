import { memo, useState } from "react";
import type { Message, OutboxEntry, Party } from "../../sdk";
import { useChat, usePartyName, useUser } from "../context";
import { hueOf } from "../names";
import { fullTime, timeOf } from "../times";
import { Avatar } from "../ui/Avatar";
import { lengthOf, useSecondsUntil } from "../ui/Countdown";
import { Icon, type IconName } from "../ui/Icon";
import { PersonName } from "../ui/Name";
import { findLinks } from "./links";
import type { Receipt } from "./receipts";

interface MessageRowProps {
  readonly message: Message;
  readonly own: boolean;
  readonly leads: boolean;
  readonly receipt: Receipt | null;
}

export const MessageRow = memo(function MessageRow({ message, own, leads, receipt }: MessageRowProps) {
  const at = new Date(message.created_at);
  return (
    <article className="message" data-own={own} data-leads={leads} data-seq={message.seq}>
      {own ? null : <Sender sender={message.sender} leads={leads} />}
      <div className="bubble">
        {own || !leads ? null : <SenderName sender={message.sender} />}
        <Content text={message.content} />
        <span className="message-meta">
          <time dateTime={message.created_at} title={fullTime(at)}>
            {timeOf(at)}
          </time>
          {receipt === null ? null : <Tick state={receipt} />}
        </span>
      </div>
    </article>
  );
});

/** What the engine itself says: nobody's bubble. */
export const NoticeRow = memo(function NoticeRow({ message, at }: { readonly message: Message; readonly at: Date }) {
  return (
    <article className="notice" data-seq={message.seq} aria-label="Notice">
      <Icon name="info" size={18} />
      <div>
        <Content text={message.content} />
        <time className="muted" dateTime={message.created_at} title={fullTime(at)}>
          {timeOf(at)}
        </time>
      </div>
    </article>
  );
});

/** A message that is not in the room's log yet. */
export function OutboxRow({ entry, leads }: { readonly entry: OutboxEntry; readonly leads: boolean }) {
  const { outbox } = useChat();
  const at = new Date(entry.order);
  return (
    <article className="message" data-own="true" data-leads={leads} data-state={entry.state}>
      <div className="bubble">
        <Content text={entry.content} />
        <span className="message-meta">
          <time dateTime={at.toISOString()} title={fullTime(at)}>
            {timeOf(at)}
          </time>
          <Tick state={entry.state} />
        </span>
      </div>
      {entry.delay === undefined ? null : <DelayNote reason={entry.delay.reason} until={entry.delay.until} />}
      {entry.state === "failed" ? (
        <p className="message-failure" role="alert">
          <span>Not sent: {entry.failure}</span>
          <button type="button" className="link-button" onClick={() => outbox.retry(entry.clientId)}>
            Try again
          </button>
          <button type="button" className="link-button" onClick={() => outbox.discard(entry.clientId)}>
            Discard
          </button>
        </p>
      ) : null}
    </article>
  );
}

/** A wait shorter than this is over before one has read about it. */
const DELAY_SHOWN_S = 2;

/** The engine takes it later: nobody has to do anything. */
function DelayNote({ reason, until }: { readonly reason: string; readonly until: number }) {
  const [first] = useState(() => (until - Date.now()) / 1000);
  const seconds = useSecondsUntil(until);
  if (first < DELAY_SHOWN_S) return null;
  return (
    <p className="message-delay" role="status">
      <span>{reason}</span> <span className="countdown" aria-hidden="true">Sent again in {lengthOf(seconds)}.</span>
    </p>
  );
}

/** Text stays text: React escapes it, and only addresses of the web become links. */
function Content({ text }: { readonly text: string }) {
  return (
    <div className="message-text" dir="auto">
      {findLinks(text).map((piece, index) =>
        piece.href === undefined ? (
          piece.text
        ) : (
          <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ),
      )}
    </div>
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

const TICKS: Record<Receipt | OutboxEntry["state"], readonly [IconName, string]> = {
  waiting: ["clock", "Waiting to be sent"],
  sending: ["clock", "Sending"],
  failed: ["alert", "Not sent"],
  sent: ["check", "Sent"],
  delivered: ["check-double", "Delivered"],
  read: ["check-double", "Read"],
};

function Tick({ state }: { readonly state: Receipt | OutboxEntry["state"] }) {
  const [icon, label] = TICKS[state];
  return (
    <span className="tick" data-state={state} title={label}>
      <Icon name={icon} size={15} />
      <span className="visually-hidden">{label}</span>
    </span>
  );
}
