import { useEffect, useId, useState, type KeyboardEvent } from "react";
import { describe, type User } from "../../sdk";
import { useChat } from "../context";
import { personName } from "../names";
import { PersonAvatar } from "./Avatar";
import { Icon } from "./Icon";

interface PeoplePickerProps {
  readonly label: string;
  /** Ids of people that make no sense here. */
  readonly exclude: readonly string[];
  readonly onPick: (user: User) => void;
  /** With these, the picked ones stay in the field as chips. */
  readonly chosen?: readonly User[];
  readonly onDrop?: (user: User) => void;
  readonly busy?: boolean;
}

/** While somebody types, this long without a key starts the search. */
const PAUSE_MS = 200;

export function PeoplePicker({ label, exclude, onPick, chosen = [], onDrop, busy = false }: PeoplePickerProps) {
  const id = useId();
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const { found, problem } = usePeople(query);
  const people = found?.filter((user) => !exclude.includes(user.id)) ?? [];
  const current = Math.min(active, people.length - 1);

  const pick = (user: User) => {
    if (busy) return;
    setQuery("");
    setActive(0);
    onPick(user);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = chosen.at(-1);
    if (event.key === "ArrowDown") setActive(Math.min(current + 1, people.length - 1));
    else if (event.key === "ArrowUp") setActive(Math.max(current - 1, 0));
    else if (event.key === "Enter") {
      const user = people[current];
      if (user !== undefined) pick(user);
    } else if (event.key === "Backspace" && query === "" && last !== undefined) onDrop?.(last);
    else return;
    if (event.key !== "Backspace") event.preventDefault();
  };

  return (
    <div className="picker">
      <label htmlFor={id}>{label}</label>
      <div className="picker-field">
        {chosen.map((user) => (
          <span key={user.id} className="chip">
            {personName(user)}
            <button type="button" aria-label={`Remove ${personName(user)}`} onClick={() => onDrop?.(user)}>
              <Icon name="close" size={14} />
            </button>
          </span>
        ))}
        <input
          id={id}
          role="combobox"
          aria-expanded={people.length > 0}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          {...(people.length > 0 ? { "aria-activedescendant": `${id}-${current}` } : {})}
          autoComplete="off"
          autoFocus
          placeholder="Name or username"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <ul id={`${id}-list`} className="picker-list" role="listbox" aria-label="People found">
        {people.map((user, index) => (
          <li
            key={user.id}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === current}
            onMouseDown={(event) => event.preventDefault()}
            onMouseEnter={() => setActive(index)}
            onClick={() => pick(user)}
          >
            <PersonAvatar user={user} size={32} />
            <span className="picker-name">{personName(user)}</span>
            <span className="muted">@{user.username}</span>
          </li>
        ))}
      </ul>
      <p className="picker-note" role="status">
        {problem ?? (found !== null && people.length === 0 ? "Nobody found." : null)}
      </p>
    </div>
  );
}

/** People that match, or everybody (the first page) while nothing is typed; null until the first answer. */
function usePeople(query: string): { found: readonly User[] | null; problem: string | null } {
  const { api } = useChat();
  const [answer, setAnswer] = useState<{ found: readonly User[] | null; problem: string | null }>({
    found: null,
    problem: null,
  });
  useEffect(() => {
    let wanted = true;
    const timer = window.setTimeout(
      () => {
        api.searchUsers(query.trim()).then(
          (page) => wanted && setAnswer({ found: page.items, problem: null }),
          (error: unknown) => wanted && setAnswer({ found: [], problem: describe(error) }),
        );
      },
      query === "" ? 0 : PAUSE_MS,
    );
    return () => {
      wanted = false;
      window.clearTimeout(timer);
    };
  }, [api, query]);
  return answer;
}
