import { AuthPage } from "./auth/AuthPage";
import { ResetPassword } from "./auth/ResetPassword";
import { ChatContext, useClient, useStore } from "./context";
import { usePage } from "./route";
import { Shell } from "./Shell";

export function App() {
  const client = useClient();
  const chat = useStore(client.chat);
  if (usePage() === "reset") return <ResetPassword />;
  if (chat === null) return <AuthPage />;
  // A new person starts with a new page: nothing of the one before stays in any component.
  return (
    <ChatContext value={chat} key={chat.me.id}>
      <Shell />
    </ChatContext>
  );
}
