import { beforeEach, describe, expect, test } from "vitest";
import { Api } from "./api";
import { Http } from "./http";

/** What was sent: method, path and key. */
let sent: { what: string; key: string | undefined; token: string | undefined }[];
/** How each request is answered; none: its answer is lost. */
let answers: (Response | undefined)[];

beforeEach(() => {
  sent = [];
  answers = [];
});

function http(): Http {
  let round = 0;
  const tokens = { accessToken: () => Promise.resolve(`token-${round++}`) };
  return new Http("", tokens, (input, init) => {
    const headers = init?.headers as Record<string, string>;
    sent.push({
      what: `${init?.method ?? ""} ${typeof input === "string" ? input : ""}`,
      key: headers["Idempotency-Key"],
      token: headers.Authorization,
    });
    const answer = answers.shift();
    return answer === undefined ? Promise.reject(new TypeError("gone")) : Promise.resolve(answer);
  });
}

const ok = () => new Response("{}", { status: 200 });
const expired = () => new Response("{}", { status: 401 });

describe("a change", () => {
  test("whose answer was lost is sent again under the same key", async () => {
    answers = [undefined, ok()];
    await new Api(http()).addMember("r", "ben");
    expect(sent.map((request) => request.what)).toEqual(["POST /rooms/r/members", "POST /rooms/r/members"]);
    expect(sent[0]?.key).toMatch(/^"[0-9a-f-]{36}"$/);
    expect(sent[1]?.key).toBe(sent[0]?.key);
  });

  test("has the same key with another token", async () => {
    answers = [expired(), ok()];
    await new Api(http()).removeMember("r", "ben");
    expect(sent.map((request) => request.token)).toEqual(["Bearer token-0", "Bearer token-1"]);
    expect(sent[1]?.key).toBe(sent[0]?.key);
  });

  test("is given up when no answer comes again, and the next one has another key", async () => {
    const api = new Api(http());
    await expect(api.updateRoom("r", { name: "x" })).rejects.toMatchObject({ code: "network" });
    expect(sent).toHaveLength(2);
    answers = [ok()];
    await api.updateRoom("r", { name: "x" });
    expect(sent[2]?.key).not.toBe(sent[0]?.key);
  });
});

test("what is only read has no key, and is not sent again", async () => {
  await expect(new Api(http()).room("r")).rejects.toMatchObject({ code: "network" });
  expect(sent).toEqual([{ what: "GET /rooms/r", key: undefined, token: "Bearer token-0" }]);
});
