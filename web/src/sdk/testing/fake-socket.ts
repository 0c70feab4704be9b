import type { Socket } from "../connection";
import type { ClientFrame } from "../types";

type Sent<T extends ClientFrame["type"]> = Extract<ClientFrame, { readonly type: T }>;

/** The engine's end of one socket, in a test's hands. */
export class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((text: string) => void) | null = null;
  onclose: ((code: number, reason: string) => void) | null = null;
  readonly sent: ClientFrame[] = [];
  closed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientFrame);
  }

  close(): void {
    this.closed = true;
  }

  frames<T extends ClientFrame["type"]>(type: T): Sent<T>[] {
    return this.sent.filter((frame): frame is Sent<T> => frame.type === type);
  }

  last<T extends ClientFrame["type"]>(type: T): Sent<T> {
    const frame = this.frames(type).at(-1);
    if (frame === undefined) throw new Error(`no ${type} was sent`);
    return frame;
  }

  deliver(frame: object): void {
    this.onmessage?.(JSON.stringify(frame));
  }

  /** Opens, takes the hello and answers it. */
  ready(rooms: readonly unknown[] = [], extra: object = {}): void {
    this.onopen?.();
    const { id } = this.last("hello");
    const fixed = { type: "ready", re: id, session_id: "s", user: {}, heartbeat_ms: 25_000, epoch: "first" };
    this.deliver({ ...fixed, expires_at: "2040-01-01T00:00:00Z", rooms, ...extra });
  }
}

/** Hands out a new socket for each attempt to connect. */
export class FakeNetwork {
  readonly sockets: FakeSocket[] = [];

  readonly open = (): FakeSocket => {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  };

  get current(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("nothing has connected");
    return socket;
  }
}
