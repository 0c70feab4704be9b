import { useState } from "react";
import type { User } from "../../sdk";
import { TaskError } from "./Field";
import { PeopleNames } from "./Name";
import { PeoplePicker } from "./PeoplePicker";
import { useTask } from "./useTask";

interface AddPeopleProps {
  /** Ids of those who are in already. */
  readonly exclude: readonly string[];
  /** True when they are in now, false when they were asked first. */
  readonly onAdd: (user: User) => Promise<boolean>;
  /** What those who were added can do now. */
  readonly after?: string;
}

/** Finds people and adds them, one after the other, and says what became of each. */
export function AddPeople({ exclude, onAdd, after }: AddPeopleProps) {
  const task = useTask();
  const [added, setAdded] = useState<readonly User[]>([]);
  const [asked, setAsked] = useState<readonly User[]>([]);
  const add = (user: User) =>
    task.run(async () => {
      const record = (await onAdd(user)) ? setAdded : setAsked;
      record((before) => [...before, user]);
    });
  return (
    <div className="form">
      <PeoplePicker
        label="Find somebody"
        exclude={[...exclude, ...added.map((user) => user.id), ...asked.map((user) => user.id)]}
        busy={task.busy}
        onPick={(user) => void add(user)}
      />
      <TaskError task={task} />
      <div role="status" className="added">
        {added.length === 0 ? null : (
          <p>
            Added: <PeopleNames users={added} />
            {after === undefined ? null : `. ${after}`}
          </p>
        )}
        {asked.length === 0 ? null : (
          <p>
            Invited: <PeopleNames users={asked} />. They are in once they accept.
          </p>
        )}
      </div>
    </div>
  );
}
