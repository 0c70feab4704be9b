import { expect, test } from "vitest";
import type { ChangeEntry } from "../../sdk";
import { ME, posted, ROOM } from "../../sdk/testing/builders";
import { changesIn, isEditable, lastEditable, textToEdit } from "./editing";

const NONE = new Map<string, ChangeEntry>();

function change(messageId: string, text: string | null, state: ChangeEntry["state"] = "waiting", roomId = ROOM): ChangeEntry {
  return { clientId: `${messageId}-${text}`, roomId, order: 1, messageId, becomes: text === null ? null : { content: text }, state };
}

test("one's last message is the newest that is one's own and there to be read", () => {
  const gone = posted(4, { from: ME });
  const entries = [
    posted(1, { from: ME }),
    posted(2, { from: ME }),
    posted(3),
    { ...gone, message: { ...gone.message, deleted_at: "2030-01-01T00:00:00Z" } },
  ];
  expect(lastEditable(entries, ME, NONE)?.seq).toBe(2);
  expect(lastEditable(entries, ME, changesIn(ROOM, [change("message-2", null)]))?.seq).toBe(1);
  expect(lastEditable([posted(3)], ME, NONE)).toBeNull();
});

test("only one's own text can be edited, also when deleting it failed", () => {
  const { message } = posted(1, { from: ME });
  expect(isEditable(message, ME, null)).toBe(true);
  expect(isEditable({ ...message, kind: "media" }, ME, null)).toBe(false);
  expect(isEditable(posted(1).message, ME, null)).toBe(false);
  expect(isEditable(message, ME, change("message-1", null))).toBe(false);
  expect(isEditable(message, ME, change("message-1", null, "failed"))).toBe(true);
});

test("the latest change of a message in the room counts", () => {
  const changes = changesIn(ROOM, [change("message-1", "one"), change("message-1", "two"), change("x", "y", "waiting", "other")]);
  const { message } = posted(1, { from: ME, content: "zero" });
  expect([...changes.keys()]).toEqual(["message-1"]);
  expect(textToEdit(message, changes.get("message-1") ?? null)).toBe("two");
  expect(textToEdit(message, change("message-1", null, "failed"))).toBe("zero");
});
