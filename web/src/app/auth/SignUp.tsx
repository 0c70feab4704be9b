import { useState } from "react";
import { ProblemError, type AuthOptions } from "../../sdk";
import { useClient } from "../context";
import { Field, TaskError } from "../ui/Field";
import { useTask } from "../ui/useTask";
import { passwordHint } from "./options";

type FieldName = "username" | "email" | "password" | "full_name";

/** The engine names the field in the code: `auth.invalid_email`. */
function fieldOf(error: unknown): FieldName | null {
  if (!(error instanceof ProblemError)) return null;
  const name = /^auth\.invalid_(username|email|password|full_name)$/.exec(error.code)?.[1];
  return (name as FieldName | undefined) ?? null;
}

export function SignUp({ options }: { readonly options: AuthOptions | null }) {
  const client = useClient();
  const task = useTask();
  const [values, setValues] = useState({ full_name: "", username: "", email: "", password: "" });
  const wrong = fieldOf(task.error);
  const field = (name: FieldName) => ({
    name,
    value: values[name],
    error: wrong === name ? (task.message ?? undefined) : undefined,
    onChange: (event: { readonly target: { readonly value: string } }) =>
      setValues({ ...values, [name]: event.target.value }),
  });
  const submit = () => {
    const fullName = values.full_name.trim();
    return client.register({
      username: values.username.trim(),
      email: values.email.trim(),
      password: values.password,
      ...(fullName === "" ? {} : { full_name: fullName }),
    });
  };
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        void task.run(submit);
      }}
    >
      <Field label="Your name" autoComplete="name" autoFocus hint="How others see you. Optional." {...field("full_name")} />
      <Field label="Username" autoComplete="username" autoCapitalize="none" required {...field("username")} />
      <Field label="Email" type="email" autoComplete="email" required {...field("email")} />
      <Field
        label="Password"
        type="password"
        autoComplete="new-password"
        required
        hint={passwordHint(options)}
        {...field("password")}
      />
      {wrong === null ? <TaskError task={task} /> : null}
      <button type="submit" className="button button-primary" disabled={task.busy}>
        {task.busy ? "Creating your account…" : "Create account"}
      </button>
    </form>
  );
}
