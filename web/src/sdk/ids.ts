/**
 * A random UUID (version 4). `crypto.randomUUID` exists on secure origins only, and people do open the client over
 * plain HTTP on their own network.
 */
export function newId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The engine's ids are UUIDv7: their first 48 bits are the millisecond in which they were made. */
export function madeAt(id: string): number {
  const ms = Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
  return Number.isNaN(ms) ? 0 : ms;
}
