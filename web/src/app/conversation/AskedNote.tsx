import type { RoomInfo, User } from "../../sdk";
import { useChat, useStore, useUser } from "../context";
import { PersonName } from "../ui/Name";

interface AskedNoteProps {
  readonly info: RoomInfo;
  /** Ids of those who are in the room; null while they are not known. */
  readonly members: readonly string[] | null;
}

/** Whom we asked in, and who has not come yet: they see nothing of this until they accept. */
export function AskedNote({ info, members }: AskedNoteProps) {
  const { invitations } = useChat();
  const asked = useStore(invitations.asked).get(info.id) ?? [];
  if (info.peer != null) return info.member_count < 2 ? <DirectNote peer={info.peer} /> : null;
  const missing = members === null ? [] : asked.filter((id) => !members.includes(id));
  if (missing.length === 0) return null;
  return (
    <p className="asked-note" role="status">
      Invited, and not here until they accept:{" "}
      {missing.map((id, index) => (
        <span key={id}>
          {index === 0 ? null : ", "}
          <KnownName id={id} />
        </span>
      ))}
    </p>
  );
}

function DirectNote({ peer }: { readonly peer: User }) {
  return (
    <p className="asked-note" role="status">
      <PersonName user={peer} /> has been invited, and sees what you write once they accept.
    </p>
  );
}

function KnownName({ id }: { readonly id: string }) {
  const user = useUser(id);
  return user === null ? <>…</> : <PersonName user={user} />;
}
