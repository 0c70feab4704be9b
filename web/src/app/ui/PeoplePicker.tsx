import { useEffect, useId, useState, type KeyboardEvent } from "react";
import { describe, type User } from "../../sdk";
import { useChat } from "../context";
import { personName } from "../names";
import { PersonAvatar } from "./Avatar";
import { isComposing, isMeantEnter } from "./enter";
import { Icon } from "./Icon";
import { PersonName } from "./Name";
import { neighbour, offerOf, type Answer } from "./picking";

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
  const [highlightedId, setHighlightedId] = useState<string | null>(null);
  const { answer, hurry, hurried } = usePeople(query);
  const offer = offerOf(query, answer, exclude, highlightedId);
  const { people, stale, current } = offer;

  const pick = (user: User) => {
    if (busy) return;
    setQuery("");
    setHighlightedId(null);
    onPick(user);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { nativeEvent: key } = event;
    if (isComposing(key)) return;
    const last = chosen.at(-1);
    if (key.key === "ArrowDown") setHighlightedId(neighbour(offer, 1)?.id ?? null);
    else if (key.key === "ArrowUp") setHighlightedId(neighbour(offer, -1)?.id ?? null);
    else if (key.key === "Enter") {
      if (isMeantEnter(key) && current !== null) pick(current);
      // Whoever comes first in an old list is not who was typed: the right list comes at once, and then Enter acts.
      else if (isMeantEnter(key) && stale) hurry();
    } else if (key.key === "Backspace" && query === "" && last !== undefined) onDrop?.(last);
    else return;
    if (key.key !== "Backspace") event.preventDefault();
  };
  const note = answer?.problem ?? (people.length === 0 ? "Nobody found." : null);

  return (
    <div className="picker">
      <label htmlFor={id}>{label}</label>
      <div className="picker-field">
        {chosen.map((user) => (
          <span key={user.id} className="chip">
            <span>
              <PersonName user={user} />
            </span>
            <button type="button" aria-label={`Remove ${personName(user)}, @${user.username}`} onClick={() => onDrop?.(user)}>
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
          {...(current === null ? {} : { "aria-activedescendant": `${id}-${current.id}` })}
          autoComplete="off"
          autoFocus
          placeholder="Name or username"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setHighlightedId(null);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <ul id={`${id}-list`} className="picker-list" role="listbox" aria-label="People found" aria-busy={stale}>
        {people.map((user) => (
          <li
            key={user.id}
            id={`${id}-${user.id}`}
            role="option"
            aria-selected={user.id === current?.id}
            onMouseDown={(event) => event.preventDefault()}
            onMouseMove={(event) => {
              // A list that appears under a resting mouse points at nobody.
              if (event.movementX !== 0 || event.movementY !== 0) setHighlightedId(user.id);
            }}
            onClick={() => pick(user)}
          >
            <PersonAvatar user={user} size={32} />
            <bdi className="picker-name">{personName(user)}</bdi>
            <span className="muted">@{user.username}</span>
          </li>
        ))}
      </ul>
      <p className="picker-note" role="status">
        {stale ? (hurried ? "Searching…" : null) : note}
      </p>
    </div>
  );
}

/** People that match, or everybody (the first page) while nothing is typed. `hurry` does not wait for a pause. */
function usePeople(query: string): { answer: Answer | null; hurry: () => void; hurried: boolean } {
  const { api, people } = useChat();
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [hurriedQuery, setHurriedQuery] = useState<string | null>(null);
  const hurried = hurriedQuery === query;
  useEffect(() => {
    let wanted = true;
    const asked = query.trim();
    const timer = window.setTimeout(
      () => {
        api.searchUsers(asked).then(
          (page) => {
            people.learn(page.items);
            if (wanted) setAnswer({ query: asked, people: page.items, problem: null });
          },
          (error: unknown) => wanted && setAnswer({ query: asked, people: [], problem: describe(error) }),
        );
      },
      asked === "" || hurried ? 0 : PAUSE_MS,
    );
    return () => {
      wanted = false;
      window.clearTimeout(timer);
    };
  }, [api, people, query, hurried]);
  return { answer, hurry: () => setHurriedQuery(query), hurried };
}
