/** How long a message may be, so that people learn it while they write and not after they sent. */

/** The engine's default for message text, in bytes of UTF-8 (`chat.content_bytes_max`). */
export const MESSAGE_BYTES_MAX = 32_768;
/** What a frame needs besides the text. */
const ENVELOPE_BYTES = 512;

const encoder = new TextEncoder();

/**
 * The size of a text, in the bytes that count against `MESSAGE_BYTES_MAX`.
 *
 * Usually its UTF-8 length. A text made of quotes or line breaks doubles in JSON, though, and a frame may be only
 * twice as long as a message: one frame too long and the engine hangs up, so half of the frame counts too.
 */
export function messageBytes(text: string): number {
  const plain = encoder.encode(text).length;
  const inFrame = encoder.encode(JSON.stringify(text)).length + ENVELOPE_BYTES;
  return Math.max(plain, Math.ceil(inFrame / 2));
}
