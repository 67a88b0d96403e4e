/**
 * What a hostile validator floods with that earns it no blame: each message is one that an honest
 * node could send once, or is refused without a fault of the sender.
 */
export const quietAttacks = [
  "replay",
  "stale-vote",
  "future-view",
  "next-height",
  "far-height",
  "wish",
  "forged-status",
  "ask-status",
  "ask-blocks",
  "ask-transactions",
  "expired-transactions",
] as const;

/** What no honest node ever sends: whoever does it is cut for a while. */
export const loudAttacks = ["malformed", "oversized", "foreign-chain"] as const;

/** `equivocate` convicts whoever does it, so that nothing more of it is heard: it is no flood. */
export type AttackName =
  | (typeof quietAttacks)[number]
  | (typeof loudAttacks)[number]
  | "silence"
  | "equivocate";
