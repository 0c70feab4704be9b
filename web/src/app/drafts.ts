/** What somebody began to write, per room: kept across switching rooms and reloads, gone with sign-out. */
const PREFIX = "parlance.draft.";

function keyOf(userId: string, roomId: string): string {
  return `${PREFIX}${userId}.${roomId}`;
}

export function readDraft(userId: string, roomId: string): string {
  return localStorage.getItem(keyOf(userId, roomId)) ?? "";
}

export function writeDraft(userId: string, roomId: string, text: string): void {
  try {
    if (text === "") localStorage.removeItem(keyOf(userId, roomId));
    else localStorage.setItem(keyOf(userId, roomId), text);
  } catch {
    // Storage is full: the text is still in the field, which is all a draft promises.
  }
}

export function forgetDrafts(userId: string): void {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(`${PREFIX}${userId}.`)) localStorage.removeItem(key);
  }
}
