/** Times as people say them, in their own language and zone. */
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const SHORT_WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const SHORT_DATE = new Intl.DateTimeFormat(undefined, { day: "2-digit", month: "2-digit", year: "2-digit" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

const DAY_MS = 86_400_000;

function startOfDay(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

/** Whole days ago, by the calendar; rounded, because days around a clock change are not 24 hours long. */
function daysAgo(at: Date, now: Date): number {
  return Math.round((startOfDay(now) - startOfDay(at)) / DAY_MS);
}

export function isSameDay(a: Date, b: Date): boolean {
  return startOfDay(a) === startOfDay(b);
}

export function timeOf(at: Date): string {
  return TIME.format(at);
}

export function fullTime(at: Date): string {
  return FULL.format(at);
}

/** Heading of a day in a conversation. */
export function dayOf(at: Date, now = new Date()): string {
  const days = daysAgo(at, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return days > 1 && days < 7 ? WEEKDAY.format(at) : DATE.format(at);
}

/** Short, for a list: the time today, the weekday this week, else the date. */
export function briefly(at: Date, now = new Date()): string {
  const days = daysAgo(at, now);
  if (days <= 0) return TIME.format(at);
  return days < 7 ? SHORT_WEEKDAY.format(at) : SHORT_DATE.format(at);
}
