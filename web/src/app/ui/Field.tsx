import { useId, type InputHTMLAttributes } from "react";

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
export function FormError({ children }: { readonly children: string | null }) {
  return children === null ? null : (
    <p className="form-error" role="alert">
      {children}
    </p>
  );
}
