import { useId, type InputHTMLAttributes } from "react";
import { TryAgain } from "./Countdown";
import type { Task } from "./useTask";

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  readonly label: string;
  readonly hint?: string;
  readonly error?: string | undefined;
}

/** A labelled input; its hint or error is read out with it. */
export function Field({ label, hint, error, ...input }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  const note = error ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        {...input}
        id={id}
        aria-invalid={error !== undefined}
        {...(note === undefined ? {} : { "aria-describedby": noteId })}
      />
      {note === undefined ? null : (
        <p id={noteId} className={error === undefined ? "field-hint" : "field-error"}>
          {note}
        </p>
      )}
    </div>
  );
}

/** Something went wrong with the whole form; read out as soon as it appears. */
export function FormError({ children, retryAt = null }: { readonly children: string | null; readonly retryAt?: number | null }) {
  return children === null ? null : (
    <p className="form-error" role="alert">
      {children}
      {retryAt === null ? null : (
        <>
          {" "}
          <TryAgain until={retryAt} />
        </>
      )}
    </p>
  );
}

/** What went wrong with a task, and when to try it again where the engine said so. */
export function TaskError({ task }: { readonly task: Task }) {
  return <FormError retryAt={task.retryAt}>{task.message}</FormError>;
}
