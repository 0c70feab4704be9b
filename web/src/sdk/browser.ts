/** What the connection needs from a browser: real sockets, and word of network and visibility. */
import type { Connection, Socket } from "./connection";

export function openWebSocket(url: string): Socket {
  const raw = new WebSocket(url);
  const socket: Socket = {
    onopen: null,
    onmessage: null,
    onclose: null,
    send: (text) => raw.send(text),
    close: () => raw.close(),
  };
  raw.onopen = () => socket.onopen?.();
  raw.onmessage = (event: MessageEvent<unknown>) => {
    if (typeof event.data === "string") socket.onmessage?.(event.data);
  };
  raw.onclose = (event) => socket.onclose?.(event.code, event.reason);
  return socket;
}

export function socketUrl(path: string, page: Pick<Location, "protocol" | "host">): string {
  return `${page.protocol === "https:" ? "wss:" : "ws:"}//${page.host}${path}`;
}

/** Tries at once when the network comes back or the tab is looked at again. Gives back its own undoing. */
export function reconnectOnReturn(connection: Connection): () => void {
  const onOnline = () => connection.reconnectNow();
  const onVisible = () => {
    if (document.visibilityState === "visible" && !connection.isOnline) connection.reconnectNow();
  };
  window.addEventListener("online", onOnline);
  document.addEventListener("visibilitychange", onVisible);
  return () => {
    window.removeEventListener("online", onOnline);
    document.removeEventListener("visibilitychange", onVisible);
  };
}

/** What the list of one's own devices calls this browser. */
export function deviceName(agent: string): string {
  const browser = agent.includes('Edg/') ? "Edge"
    : agent.includes('Firefox/') ? "Firefox"
    : agent.includes('Chrome/') ? "Chrome"
    : agent.includes('Safari/') ? "Safari"
    : "Browser";
  const system = agent.includes('Android') ? "Android"
    : /iPhone|iPad/.test(agent) ? "iOS"
    : agent.includes('Windows') ? "Windows"
    : agent.includes('Mac OS X') ? "macOS"
    : agent.includes('Linux') ? "Linux"
    : null;
  return system === null ? browser : `${browser} on ${system}`;
}
