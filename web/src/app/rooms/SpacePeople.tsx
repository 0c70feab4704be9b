import { useCallback, useState } from "react";
import type { Space, SpaceMember } from "../../sdk";
import { useChat } from "../context";
import { MemberRow } from "../details/MemberRow";
import { mayAdd, type Place } from "../details/permissions";
import { goToRoom, useOpenRoom } from "../route";
import { AddPeople } from "../ui/AddPeople";
import { Dialog } from "../ui/Dialog";
import { TaskError } from "../ui/Field";
import { Icon } from "../ui/Icon";
import { useLoaded } from "../ui/useLoaded";
import { useTask } from "../ui/useTask";

/** Who is in a space: what each may do, who else should be in it, and the way out of it. */
export function SpacePeople({ space, onClose }: { readonly space: Space; readonly onClose: () => void }) {
  const chat = useChat();
  const [view, setView] = useState<"members" | "add" | "leave">("members");
  const { members, problem, load } = useSpaceMembers(space.id);
  const place: Place = { kind: "space", role: space.role };
  if (view === "leave") return <LeaveSpace space={space} onStay={() => setView("members")} onLeft={onClose} />;
  return (
    <Dialog title={<>People of <bdi>{space.name}</bdi></>} onClose={onClose}>
      {mayAdd(place) ? (
        <div className="segments" role="group" aria-label="What to do">
          <button type="button" aria-pressed={view === "members"} onClick={() => setView("members")}>
            Members{members === null ? "" : ` (${members.length})`}
          </button>
          <button type="button" aria-pressed={view === "add"} onClick={() => setView("add")}>
            Add people
          </button>
        </div>
      ) : null}
      {view === "add" ? (
        <AddPeople
          exclude={members?.map((member) => member.user.id) ?? [chat.me.id]}
          after="They can join its channels now."
          onAdd={async (user) => {
            const isIn = await chat.addSpaceMember(space.id, user.id);
            void load();
            return isIn;
          }}
        />
      ) : (
        <>
          <SpaceMembers space={space} place={place} members={members} problem={problem} onChanged={load} />
          <button type="button" className="button button-quiet-danger" onClick={() => setView("leave")}>
            <Icon name="sign-out" size={18} /> Leave this space
          </button>
        </>
      )}
    </Dialog>
  );
}

interface SpaceMembersProps {
  readonly space: Space;
  readonly place: Place;
  readonly members: readonly SpaceMember[] | null;
  readonly problem: string | null;
  readonly onChanged: () => Promise<void>;
}

function SpaceMembers({ space, place, members, problem, onChanged }: SpaceMembersProps) {
  const { api, me, spaces } = useChat();
  const task = useTask();
  const change = (userId: string, request: () => Promise<unknown>) =>
    void task.run(async () => {
      await request();
      await onChanged();
      if (userId === me.id) await spaces.reload();
    });
  const owners = members?.filter((member) => member.role === "owner").length ?? 0;
  return (
    <section className="members" aria-label="Members of the space">
      <TaskError task={task} />
      {problem === null ? null : (
        <p className="form-error" role="alert">
          {problem}{" "}
          <button type="button" className="link-button" onClick={() => void onChanged()}>
            Try again
          </button>
        </p>
      )}
      {members === null && problem === null ? <p className="muted">Loading…</p> : null}
      <ul className="members-scroll">
        {members?.map(({ user, role }) => (
          <MemberRow
            key={user.id}
            place={place}
            user={user}
            role={role}
            busy={task.busy}
            mayStepDown={owners > 1}
            onRole={(next) => change(user.id, () => api.changeSpaceRole(space.id, user.id, next))}
            onRemove={() => change(user.id, () => api.removeSpaceMember(space.id, user.id))}
          />
        ))}
      </ul>
      {space.role === "owner" && owners === 1 && (members?.length ?? 0) > 1 ? (
        <p className="field-hint">To hand the space over, make somebody else an owner. Then you may step down or leave.</p>
      ) : null}
    </section>
  );
}

interface LeaveSpaceProps {
  readonly space: Space;
  readonly onStay: () => void;
  readonly onLeft: () => void;
}

function LeaveSpace({ space, onStay, onLeft }: LeaveSpaceProps) {
  const chat = useChat();
  const openId = useOpenRoom();
  const task = useTask();
  const leave = () =>
    task.run(async () => {
      const inside = openId !== null && chat.rooms.get(openId)?.info.space_id === space.id;
      await chat.leaveSpace(space.id);
      if (inside) goToRoom(null, "replace");
      onLeft();
    });
  return (
    <Dialog title={<>Leave <bdi>{space.name}</bdi>?</>} onClose={onStay}>
      <p>You leave all of its channels, and cannot read them any more unless somebody adds you again.</p>
      <TaskError task={task} />
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onStay}>
          Stay
        </button>
        <button type="button" className="button button-danger" disabled={task.busy} onClick={() => void leave()}>
          Leave
        </button>
      </div>
    </Dialog>
  );
}

function useSpaceMembers(spaceId: string) {
  const { api, people } = useChat();
  const read = useCallback(async () => {
    const found = await api.spaceMembers(spaceId);
    people.learn(found.map((member) => member.user));
    return found;
  }, [api, people, spaceId]);
  const { value: members, problem, load } = useLoaded(read);
  return { members, problem, load };
}
