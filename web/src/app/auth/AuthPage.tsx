import { useState } from "react";
import { Logo } from "../ui/Logo";
import { StorageNotice } from "../ui/StorageNotice";
import { useAuthOptions } from "./options";
import { SignIn } from "./SignIn";
import { SignUp } from "./SignUp";

export function AuthPage() {
  const options = useAuthOptions();
  const [mode, setMode] = useState<"in" | "up">("in");
  const signingIn = mode === "in" || options?.registration === false;
  return (
    <div className="auth">
      <main className="auth-card">
        <Logo size={44} />
        <h1>{signingIn ? "Welcome back" : "Create your account"}</h1>
        <p className="muted">{signingIn ? "Sign in to Parlance." : "It takes a minute."}</p>
        <StorageNotice />
        {signingIn ? <SignIn /> : <SignUp options={options} />}
        {/* Its room is kept until it is known, so that nothing jumps. */}
        <p className="auth-switch">{options === null ? "\u00a0" : <Switch registration={options.registration} signingIn={signingIn} onMode={setMode} />}</p>
      </main>
    </div>
  );
}

interface SwitchProps {
  readonly registration: boolean;
  readonly signingIn: boolean;
  readonly onMode: (mode: "in" | "up") => void;
}

function Switch({ registration, signingIn, onMode }: SwitchProps) {
  if (!registration) return <>Accounts here are made by an administrator.</>;
  return (
    <>
      {signingIn ? "New here? " : "Have an account already? "}
      <button type="button" className="link-button" onClick={() => onMode(signingIn ? "up" : "in")}>
        {signingIn ? "Create an account" : "Sign in instead"}
      </button>
    </>
  );
}
