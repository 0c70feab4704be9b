import { useEffect, useState } from "react";
import type { LinkState } from "../../sdk";
import { useChat, useLink } from "../context";
import { useSecondsUntil } from "../ui/Countdown";

/**
 * Says how the connection is while it is not good. The sentence that is read out does not count down: a screen reader
 * would say every second of it.
 */
export function LinkBanner() {
  const { connection } = useChat();
  const link = useLink();
  const online = useNetwork();
  const shown = link.name !== "online" && link.name !== "stopped";
  return (
    <div className="banner-slot" role="status" aria-live="polite">
      {shown ? (
        <div className="banner" data-state={link.name}>
          <span>
            <span className="banner-dot" aria-hidden="true" />
            {sentence(link, online)}
          </span>
          {link.name === "waiting" ? (
            <>
              <Countdown until={link.retryAt} />
              <button type="button" className="banner-button" onClick={() => connection.reconnectNow()}>
                Try now
              </button>
            </>
          ) : null}
          {link.name === "refused" ? (
            <button type="button" className="banner-button" onClick={() => connection.start()}>
              Connect again
            </button>
          ) : null}
        </div>
      ) : null}
    </div>
  );
}

function sentence(link: LinkState, online: boolean): string {
  if (link.name === "refused") {
    return `The server closed the connection (${link.code}${link.reason === "" ? "" : `, ${link.reason}`}).`;
  }
  if (!online) return "You are offline. Messages are sent when you are back.";
  if (link.name === "connecting") return link.attempt === 0 ? "Connecting…" : "Reconnecting…";
  if (link.name === "waiting" && link.reason !== null) return link.reason;
  return "Connection lost. Messages wait here until it is back.";
}

function Countdown({ until }: { readonly until: number }) {
  const seconds = useSecondsUntil(until);
  return (
    <span className="countdown" aria-hidden="true">
      Reconnecting in {seconds} s
    </span>
  );
}

/** What the browser believes of the network. It may be wrong, so it only chooses the words. */
function useNetwork(): boolean {
  const [online, setOnline] = useState(() => navigator.onLine);
  useEffect(() => {
    const update = () => setOnline(navigator.onLine);
    window.addEventListener("online", update);
    window.addEventListener("offline", update);
    return () => {
      window.removeEventListener("online", update);
      window.removeEventListener("offline", update);
    };
  }, []);
  return online;
}
