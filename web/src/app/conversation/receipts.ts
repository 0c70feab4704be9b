/** How far the others have received and read, from their watermarks. Pure. */
import type { Member } from "../../sdk";

export type Receipt = "sent" | "delivered" | "read";

export interface Receipts {
  statusOf(seq: number): Receipt;
}

/** A message counts as delivered or read once it is so for everybody else. */
export function receiptsOf(members: readonly Member[], me: string): Receipts {
  // A team reads nothing: its people do.
  const others = members.filter((member) => member.user?.id !== me && member.party?.type !== "team");
  const least = (of: (member: Member) => number) => (others.length === 0 ? 0 : Math.min(...others.map(of)));
  const delivered = least((member) => member.delivered_seq);
  const read = least((member) => member.read_seq);
  return {
    statusOf(seq) {
      if (seq <= read) return "read";
      return seq <= delivered ? "delivered" : "sent";
    },
  };
}
