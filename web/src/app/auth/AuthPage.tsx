import { useState } from "react";
import { Logo } from "../ui/Logo";
import { StorageNotice } from "../ui/StorageNotice";
import { SignIn } from "./SignIn";
import { SignUp } from "./SignUp";

export function AuthPage() {
  const [mode, setMode] = useState<"in" | "up">("in");
  const signingIn = mode === "in";
  return (
    <div className="auth">
      <main className="auth-card">
        <Logo size={44} />
        <h1>{signingIn ? "Welcome back" : "Create your account"}</h1>
        <p className="muted">{signingIn ? "Sign in to Parlance." : "It takes a minute."}</p>
        <StorageNotice />
        {signingIn ? <SignIn /> : <SignUp />}
        <p className="auth-switch">
          {signingIn ? "New here? " : "Have an account already? "}
          <button type="button" className="link-button" onClick={() => setMode(signingIn ? "up" : "in")}>
            {signingIn ? "Create an account" : "Sign in instead"}
          </button>
        </p>
      </main>
    </div>
  );
}
