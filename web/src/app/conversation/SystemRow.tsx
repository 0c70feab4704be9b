import { Fragment, memo } from "react";
import { partyOf, peopleOf, type Party } from "../../sdk";
import { useChat, usePartyName, useUser } from "../context";
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

/** As many of a team's people are named. */
const NAMED_MAX = 4;

type Actor = SystemEvent["by"];

function Sentence({ event, renamed }: Omit<SystemRowProps, "at">) {
  const by = <ActorName by={event.by} />;
  switch (event.type) {
    case "member.added": {
      const whom = event.member.user_id ?? null;
      if (whom !== null && whom === event.by) return <>{by} joined</>;
      if (isTeam(event.by)) return <>{by} brought <PeopleOf ids={peopleOf(event)} /></>;
      return <>{by} added <Whom event={event} /></>;
    }
    case "member.removed":
      if (event.user_id != null && event.user_id === event.by) return <>{by} left</>;
      if (isTeam(event.by) && event.user_id != null) return <><Name id={event.user_id} /> left with {by}</>;
      if (isTeam(event.by)) return <>{by} left</>;
      return <>{by} removed <Whom event={event} /></>;
    case "member.role_changed":
      return <>{by} made <Whom event={event} /> {article(event.role)} {event.role}</>;
    case "room.updated":
      return <>{by} <Changes renamed={renamed} /></>;
  }
}

function isTeam(by: Actor): boolean {
  return typeof by === "object" && by?.type === "team";
}

/** "Ben", or "the team Support (Ben, Cleo and 3 more)". */
function Whom({ event }: { readonly event: Exclude<SystemEvent, { readonly type: "room.updated" }> }) {
  const party = partyOf(event);
  const people = peopleOf(event);
  if (party === null) return <Name id={people[0]} inside />;
  return (
    <>
      {party.type === "team" ? "the team " : null}
      <PartyName party={party} />
      {people.length === 0 ? null : <> (<PeopleOf ids={people} />)</>}
    </>
  );
}

function PeopleOf({ ids }: { readonly ids: readonly string[] }) {
  const more = ids.length - NAMED_MAX;
  return (
    <>
      {ids.slice(0, NAMED_MAX).map((id, index) => (
        <Fragment key={id}>
          {index === 0 ? null : ", "}
          <Name id={id} inside />
        </Fragment>
      ))}
      {more > 0 ? ` and ${more} more` : null}
    </>
  );
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

/** Who did it; nobody: the engine itself. */
function ActorName({ by }: { readonly by: Actor }) {
  return typeof by === "object" && by !== null ? <PartyName party={by} /> : <Name id={by} />;
}

function PartyName({ party }: { readonly party: Party }) {
  const name = usePartyName(party);
  return <strong>{name === null ? (party.type === "team" ? "A team" : "Somebody") : <bdi>{name}</bdi>}</strong>;
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
