import { memo } from "react";
import { useChat, useUser } from "../context";
import { fullTime } from "../times";
import { PersonName } from "../ui/Name";
import type { Renamed, SystemEvent } from "./rows";

interface SystemRowProps {
  readonly event: SystemEvent;
  readonly renamed: Renamed;
  readonly at: string;
}

/** Who came, who left, and what the room is called now. */
export const SystemRow = memo(function SystemRow({ event, renamed, at }: SystemRowProps) {
  return (
    <p className="system" title={fullTime(new Date(at))} data-seq={event.seq}>
      <Sentence event={event} renamed={renamed} />
    </p>
  );
});

function Sentence({ event, renamed }: Omit<SystemRowProps, "at">) {
  const by = <Name id={event.by} />;
  switch (event.type) {
    case "member.added": {
      const { user_id: id } = event.member;
      if (id === event.by) return <>{by} joined</>;
      return <>{by} added <Name id={id} inside /></>;
    }
    case "member.removed":
      if (event.user_id === event.by) return <>{by} left</>;
      return <>{by} removed <Name id={event.user_id} inside /></>;
    case "member.role_changed":
      return <>{by} made <Name id={event.user_id} inside /> {article(event.role)} {event.role}</>;
    case "room.updated":
      return <>{by} <Changes renamed={renamed} /></>;
  }
}

/** "changed the name to “Garden” and removed the topic". */
function Changes({ renamed: { name, topic } }: { readonly renamed: Renamed }) {
  const named = name !== null && name !== "";
  if (!named && topic === null) return <>changed the details</>;
  return (
    <>
      {named ? <>changed the name to “<bdi>{name}</bdi>”</> : null}
      {named && topic !== null ? " and " : null}
      {topic === null ? null : topic === "" ? "removed the topic" : <>set the topic to “<bdi>{topic}</bdi>”</>}
    </>
  );
}

function article(role: string): string {
  return /^[aeiou]/.test(role) ? "an" : "a";
}

function Name({ id, inside = false }: { readonly id: string | null | undefined; readonly inside?: boolean }) {
  return id == null ? <>Somebody</> : <KnownName id={id} inside={inside} />;
}

function KnownName({ id, inside }: { readonly id: string; readonly inside: boolean }) {
  const { me } = useChat();
  const user = useUser(id);
  if (id === me.id) return <>{inside ? "you" : "You"}</>;
  return <strong>{user === null ? "Somebody" : <PersonName user={user} />}</strong>;
}
