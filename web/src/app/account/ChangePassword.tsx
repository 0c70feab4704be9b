import { useState } from "react";
import { ProblemError } from "../../sdk";
import { useChat } from "../context";
import { Field, TaskError } from "../ui/Field";
import { useTask } from "../ui/useTask";

/** The engine's codes for the two fields. */
const CURRENT_WRONG = "auth.password_refused";
const NEW_WRONG = "auth.invalid_password";

export function ChangePassword({ onChanged }: { readonly onChanged: () => void }) {
  const { api, me } = useChat();
  const task = useTask();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [done, setDone] = useState(false);
  const code = task.error instanceof ProblemError ? task.error.code : null;
  const change = () =>
    task.run(async () => {
      setDone(false);
      await api.changePassword(current, next);
      setCurrent("");
      setNext("");
      setDone(true);
      onChanged();
    });
  return (
    <section aria-label="Password">
      <header className="section-head">
        <h3>Password</h3>
      </header>
      <form
        className="form account-form"
        onSubmit={(event) => {
          event.preventDefault();
          void change();
        }}
      >
        {/* Tells password managers whose password this is. */}
        <input type="text" name="username" autoComplete="username" value={me.username} readOnly hidden />
        <Field
          label="Current password"
          type="password"
          autoComplete="current-password"
          required
          value={current}
          error={code === CURRENT_WRONG ? (task.message ?? undefined) : undefined}
          onChange={(event) => setCurrent(event.target.value)}
        />
        <Field
          label="New password"
          type="password"
          autoComplete="new-password"
          required
          value={next}
          hint="Your other devices are signed out."
          error={code === NEW_WRONG ? (task.message ?? undefined) : undefined}
          onChange={(event) => setNext(event.target.value)}
        />
        {code === CURRENT_WRONG || code === NEW_WRONG ? null : <TaskError task={task} />}
        <p role="status" className="form-done">
          {done ? "Your password is changed." : null}
        </p>
        <button type="submit" className="button" disabled={task.busy || current === "" || next === ""}>
          {task.busy ? "Changing…" : "Change password"}
        </button>
      </form>
    </section>
  );
}
