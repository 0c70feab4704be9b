import { useState } from "react";
import { useClient } from "../context";
import { Field, TaskError } from "../ui/Field";
import { useTask } from "../ui/useTask";

export function SignIn() {
  const client = useClient();
  const task = useTask();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        void task.run(() => client.login({ login: login.trim(), password }));
      }}
    >
      <Field
        label="Username or email"
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        autoFocus
        required
        value={login}
        onChange={(event) => setLogin(event.target.value)}
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <TaskError task={task} />
      <button type="submit" className="button button-primary" disabled={task.busy}>
        {task.busy ? "Signing in…" : "Sign in"}
      </button>
    </form>
  );
}
