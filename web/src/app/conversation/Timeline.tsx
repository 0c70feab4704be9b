import { useEffect, useMemo, useRef, useState } from "react";
import type { ChangeEntry, Message, OutboxEntry, Role, Room } from "../../sdk";
import { useChat, useLink, useStore, useStorePerFrame } from "../context";
import { mayDelete, mayModerate, type Place } from "../details/permissions";
import { dayOf } from "../times";
import { Icon } from "../ui/Icon";
import { RoomName } from "../ui/Name";
import { changesIn, isEditable, isGone } from "./editing";
import type { Act } from "./MessageActions";
import { MessageRow, NoticeRow, OutboxRow } from "./MessageRow";
import { receiptsOf } from "./receipts";
import { rowsOf, type Row } from "./rows";
import { SystemRow } from "./SystemRow";
import { useScroll } from "./useScroll";

interface TimelineProps {
  readonly room: Room;
  readonly place: Place;
  /** The message in the composer. */
  readonly editing: Message | null;
  readonly onAct: Act;
}

export function Timeline({ room, place, editing, onAct }: TimelineProps) {
  const chat = useChat();
  const online = useLink().name === "online";
  const state = useStorePerFrame(room.state);
  const outbox = useStore(chat.outbox.entries);
  const { entries, hasOlder, older, members } = state;
  // Where reading had got to when the room was opened: the mark must not move while one reads.
  const [readSeq] = useState(state.info.unread > 0 ? state.info.read_seq : Infinity);
  const rows = useMemo(() => rowsOf(entries, chat.me.id, readSeq), [entries, chat.me.id, readSeq]);
  const changing = useStore(chat.outbox.changes);
  const changes = useMemo(() => changesIn(room.id, changing), [room.id, changing]);
  const roles = useMemo(() => new Map(members?.map((member) => [member.user?.id ?? "", member.role])), [members]);
  const receipts = useMemo(() => receiptsOf(members ?? [], chat.me.id), [members, chat.me.id]);
  const posted = useMemo(() => ownClientIds(rows), [rows]);
  // The log and the outbox are drawn at different moments; what the log shows already is not shown twice.
  const waiting = outbox.filter((entry) => entry.roomId === room.id && !posted.has(entry.clientId));

  const scroller = useRef<HTMLDivElement>(null);
  const scroll = useScroll(scroller, rows.length + waiting.length);
  const lastSeq = entries.at(-1)?.seq ?? 0;
  const seenSeq = useSeen(room, scroll.atBottom, lastSeq);
  const unseen = rows.filter((row) => isOfOthers(row) && row.message.seq > seenSeq).length;

  const wanted = scroll.nearTop && hasOlder && online && older === "idle";
  useEffect(() => {
    if (wanted) void room.loadOlder();
  }, [room, wanted, entries]);

  // Writing something brings one back to the end.
  const newest = waiting.at(-1)?.clientId;
  const { toBottom } = scroll;
  useEffect(() => {
    if (newest !== undefined) toBottom();
  }, [newest, toBottom]);

  return (
    <div className="timeline">
      <div className="timeline-scroll" ref={scroller} tabIndex={0} role="log" aria-label="Messages" aria-busy={older === "loading"}>
        <div className="timeline-content">
          <div className="timeline-top">
            {older === "loading" ? <span className="muted">Loading…</span> : null}
            {older === "failed" ? (
              <button type="button" className="small-button" onClick={() => void room.loadOlder()}>
                Older messages could not be loaded. Try again
              </button>
            ) : null}
            {hasOlder ? null : <Beginning room={room} />}
          </div>
          {rows.map((row) => (
            <TimelineRow
              key={row.key}
              row={row}
              around={{ me: chat.me.id, place, roles, receipts, changes, editing, onAct }}
            />
          ))}
          {waiting.map((entry, index) => (
            <OutboxRow key={entry.clientId} entry={entry} leads={leads(rows, index)} />
          ))}
        </div>
      </div>
      {scroll.atBottom ? null : (
        <button type="button" className="jump" onClick={() => scroll.toBottom()}>
          <Icon name="down" size={18} />
          {unseen === 0 ? "Latest messages" : `${unseen} new ${unseen === 1 ? "message" : "messages"}`}
        </button>
      )}
    </div>
  );
}

/** What a row has to know of the room that it stands in. */
interface Around extends Omit<TimelineProps, "room"> {
  readonly me: string;
  readonly roles: ReadonlyMap<string, Role>;
  readonly receipts: ReturnType<typeof receiptsOf>;
  readonly changes: ReadonlyMap<string, ChangeEntry>;
}

function TimelineRow({ row, around }: { readonly row: Row; readonly around: Around }) {
  switch (row.kind) {
    case "day":
      return (
        <div className="day" role="separator">
          <span>{dayOf(row.at)}</span>
        </div>
      );
    case "new":
      return (
        <div className="new-mark" role="separator">
          <span>New</span>
        </div>
      );
    case "system":
      return <SystemRow event={row.event} renamed={row.renamed} at={row.event.at} />;
    case "notice":
      return <NoticeRow message={row.message} at={row.at} />;
    case "message":
      return (
        <MessageRow
          message={row.message}
          own={row.own}
          leads={row.leads}
          receipt={row.own ? around.receipts.statusOf(row.message.seq) : null}
          {...actionsOn(row.message, row.own, around)}
        />
      );
  }
}

/** What we may do to a message, and are doing. */
function actionsOn(message: Message, own: boolean, { me, place, roles, changes, editing, onAct }: Around) {
  const change = changes.get(message.id) ?? null;
  const changed = message.edited_at != null || message.deleted_at != null;
  return {
    change,
    edited: editing?.id === message.id,
    mayEdit: isEditable(message, me, change),
    mayDelete: !isGone(message, change) && mayDelete(place, own, roles.get(message.sender.id ?? "") ?? null),
    mayLookBack: changed && mayModerate(place),
    onAct,
  };
}

function isOfOthers(row: Row): row is Extract<Row, { readonly kind: "message" | "notice" }> {
  return row.kind === "notice" || (row.kind === "message" && !row.own);
}

function Beginning({ room }: { readonly room: Room }) {
  const { info } = useStore(room.state);
  return (
    <p className="beginning">
      This is the beginning of {info.kind === "direct" ? "your conversation with " : ""}
      <RoomName room={info} />.
    </p>
  );
}

/** Marks the room read while somebody looks at its end, and tells up to where it has been seen. */
function useSeen(room: Room, atBottom: boolean, lastSeq: number): number {
  const [seen, setSeen] = useState(lastSeq);
  const looking = useLooking();
  if (atBottom && lastSeq > seen) setSeen(lastSeq);
  useEffect(() => {
    if (looking && atBottom) room.markRead();
  }, [room, looking, atBottom, lastSeq]);
  return seen;
}

/** Whether this page is in front of somebody. */
function useLooking(): boolean {
  const [looking, setLooking] = useState(isLooking);
  useEffect(() => {
    const update = () => setLooking(isLooking());
    window.addEventListener("focus", update);
    window.addEventListener("blur", update);
    document.addEventListener("visibilitychange", update);
    return () => {
      window.removeEventListener("focus", update);
      window.removeEventListener("blur", update);
      document.removeEventListener("visibilitychange", update);
    };
  }, []);
  return looking;
}

function isLooking(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

function ownClientIds(rows: readonly Row[]): ReadonlySet<OutboxEntry["clientId"]> {
  return new Set(rows.flatMap((row) => (row.kind === "message" && row.own ? (row.message.client_id ?? []) : [])));
}

/** The first waiting message starts a group unless our own message stands right above it. */
function leads(rows: readonly Row[], index: number): boolean {
  const above = rows.at(-1);
  return index === 0 && !(above?.kind === "message" && above.own);
}
