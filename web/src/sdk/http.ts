/** HTTP calls with JSON bodies and RFC 9457 errors. */
import { ProblemError } from "./errors";

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  /**
   * Our own id for a change. However often the engine gets it, it makes the change once, so a request whose answer was lost
   * is sent again by itself.
   */
  readonly idempotencyKey?: string;
  /** Sign-in, registration and refresh go without an access token. */
  readonly anonymous?: boolean;
  /** This access token and no other, whether it is still good or not. */
  readonly token?: string;
  /** Without an answer for this long the call has failed. */
  readonly timeoutMs?: number;
  /** Goes on when the page is closed meanwhile. */
  readonly keepalive?: boolean;
}

/** A connection that the network has swallowed gives no answer for minutes. */
const ANSWER_MS_MAX = 30_000;
/** A change is sent so often at most while no answer comes. */
const TRIES_MAX = 2;

/** Who provides access tokens; `rejected` names one that the engine no longer takes. */
export interface TokenSource {
  accessToken(rejected?: string): Promise<string>;
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export class Http {
  constructor(
    private readonly base: string,
    private readonly tokens: TokenSource | null,
    private readonly send: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  /** The type of the answer is the caller's word; `api.ts` is the one place that gives it. */
   
  async call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
    if (options.anonymous === true || options.token !== undefined || this.tokens === null) {
      return (await readAnswer(await this.sure(method, path, options, options.token ?? null))) as T;
    }
    const token = await this.tokens.accessToken();
    let response = await this.sure(method, path, options, token);
    if (response.status === 401) {
      // The token expired or was revoked meanwhile. One fresh one is worth a try; a second refusal is an answer.
      const fresh = await this.tokens.accessToken(token);
      response = await this.sure(method, path, options, fresh);
    }
    return (await readAnswer(response)) as T;
  }

  /** The answer to a request; a change is asked for again, under the same key, when none comes. */
  private async sure(method: Method, path: string, options: CallOptions, token: string | null): Promise<Response> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.request(method, path, options, token);
      } catch (error) {
        if (options.idempotencyKey === undefined || tries === TRIES_MAX) throw error;
      }
    }
  }

  private async request(method: Method, path: string, options: CallOptions, token: string | null): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (token !== null) headers.Authorization = `Bearer ${token}`;
    const init: RequestInit = {
      method,
      headers,
      keepalive: options.keepalive ?? false,
      signal: AbortSignal.timeout(options.timeoutMs ?? ANSWER_MS_MAX),
    };
    if (options.idempotencyKey !== undefined) headers["Idempotency-Key"] = `"${options.idempotencyKey}"`;
    if (options.body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(options.body);
    }
    try {
      return await this.send(this.base + path + queryOf(options.query), init);
    } catch {
      throw new ProblemError(0, "network", "The server cannot be reached. Check the connection and try again.");
    }
  }
}

function queryOf(query: CallOptions["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

async function readAnswer(response: Response): Promise<unknown> {
  const text = await response.text().catch(() => "");
  let body: unknown;
  try {
    body = text === "" ? undefined : JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (response.ok) return body;
  throw problemOf(response.status, body);
}

/** Anything between us and the engine may answer too (a proxy's HTML page), so nothing is taken for granted. */
function problemOf(status: number, body: unknown): ProblemError {
  const problem = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof problem[name] === "string" ? problem[name] : undefined);
  const retryAfterMs = problem.retry_after_ms;
  return new ProblemError(
    status,
    text("code") ?? `http.${status}`,
    text("detail") ?? text("title") ?? `The server answered with status ${status}.`,
    typeof retryAfterMs === "number" ? retryAfterMs : null,
  );
}
