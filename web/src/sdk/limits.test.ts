import { expect, test } from "vitest";
import { MESSAGE_BYTES_MAX, messageBytes } from "./limits";

const FRAME_BYTES_MAX = 2 * MESSAGE_BYTES_MAX;

test("plain text counts by its UTF-8 bytes", () => {
  expect(messageBytes("x".repeat(MESSAGE_BYTES_MAX))).toBe(MESSAGE_BYTES_MAX);
  expect(messageBytes("é".repeat(MESSAGE_BYTES_MAX / 2))).toBe(MESSAGE_BYTES_MAX);
});

for (const character of ['"', "\n", "\u0001", "x"]) {
  test(`as many ${JSON.stringify(character)} as are allowed fit into a frame`, () => {
    let count = MESSAGE_BYTES_MAX;
    while (messageBytes(character.repeat(count)) > MESSAGE_BYTES_MAX) count -= 97;
    const frame = JSON.stringify({
      type: "message.post",
      id: 123_456_789,
      room_id: "0190a000-0000-7000-8000-000000000001",
      client_id: "0190a000-0000-7000-8000-000000000002",
      content: character.repeat(count),
    });
    expect(new TextEncoder().encode(frame).length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
  });
}
