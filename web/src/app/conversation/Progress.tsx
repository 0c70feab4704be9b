/** How far something is that was written here, and what one can do when it failed. */
import { useState } from "react";
import type { ChangeEntry, OutboxEntry } from "../../sdk";
import { useChat } from "../context";
import { lengthOf, useSecondsUntil } from "../ui/Countdown";
import { Icon, type IconName } from "../ui/Icon";
import type { Receipt } from "./receipts";

interface ProgressNotesProps {
  readonly entry: OutboxEntry | ChangeEntry;
  /** What did not happen, when it failed: "Not sent". */
  readonly failed: string;
}

/** What stands under a message that waits longer than usual, or that failed. */
export function ProgressNotes({ entry, failed }: ProgressNotesProps) {
  const { outbox } = useChat();
  return (
    <>
      {entry.delay === undefined ? null : <DelayNote reason={entry.delay.reason} until={entry.delay.until} />}
      {entry.state === "failed" ? (
        <p className="message-failure" role="alert">
          <span>{failed}: {entry.failure}</span>
          <button type="button" className="link-button" onClick={() => outbox.retry(entry.clientId)}>
            Try again
          </button>
          <button type="button" className="link-button" onClick={() => outbox.discard(entry.clientId)}>
            Discard
          </button>
        </p>
      ) : null}
    </>
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

const TICKS: Record<Receipt | OutboxEntry["state"], readonly [IconName, string]> = {
  waiting: ["clock", "Waiting to be sent"],
  sending: ["clock", "Sending"],
  failed: ["alert", "Not sent"],
  sent: ["check", "Sent"],
  delivered: ["check-double", "Delivered"],
  read: ["check-double", "Read"],
};

export function Tick({ state }: { readonly state: Receipt | OutboxEntry["state"] }) {
  const [icon, label] = TICKS[state];
  return (
    <span className="tick" data-state={state} title={label}>
      <Icon name={icon} size={15} />
      <span className="visually-hidden">{label}</span>
    </span>
  );
}
