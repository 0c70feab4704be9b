import { useEffect, useState } from "react";
import { ProblemError } from "../../sdk";
import { useClient } from "../context";
import { goToStart } from "../route";
import { Field, TaskError } from "../ui/Field";
import { Logo } from "../ui/Logo";
import { useTask } from "../ui/useTask";
import { passwordHint, useAuthOptions } from "./options";

/** Sets a new password by a link from an admin. The token is behind the `#` of the address. */
export function ResetPassword() {
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get("token") ?? "");
  const [done, setDone] = useState(false);
  useEffect(() => {
    // It must not stay in the address bar or the history, where the next one at this machine finds it.
    history.replaceState(null, "", location.pathname);
  }, []);
  return (
    <div className="auth">
      <main className="auth-card">
        <Logo size={44} />
        <h1>{done ? "Your password is set" : "Choose a new password"}</h1>
        {done ? (
          <p className="muted">All your devices are signed out. Sign in with the new password.</p>
        ) : token === "" ? (
          <p className="muted">This address is not complete. Open the whole link that you were given, or ask for another one.</p>
        ) : (
          <ResetForm token={token} onDone={() => setDone(true)} />
        )}
        <p className="auth-switch">
          <button type="button" className={done ? "button button-primary" : "link-button"} onClick={goToStart}>
            {done ? "Go to sign in" : "Back to the start"}
          </button>
        </p>
      </main>
    </div>
  );
}

function ResetForm({ token, onDone }: { readonly token: string; readonly onDone: () => void }) {
  const { api } = useClient();
  const options = useAuthOptions();
  const task = useTask();
  const [password, setPassword] = useState("");
  const wrong = task.error instanceof ProblemError && task.error.code === "auth.invalid_password";
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        void task.run(async () => {
          await api.resetPassword(token, password);
          onDone();
        });
      }}
    >
      <Field
        label="New password"
        type="password"
        autoComplete="new-password"
        autoFocus
        required
        value={password}
        hint={passwordHint(options)}
        error={wrong ? (task.message ?? undefined) : undefined}
        onChange={(event) => setPassword(event.target.value)}
      />
      {wrong ? null : <TaskError task={task} />}
      <button type="submit" className="button button-primary" disabled={task.busy || password === ""}>
        {task.busy ? "Setting your password…" : "Set password"}
      </button>
    </form>
  );
}
