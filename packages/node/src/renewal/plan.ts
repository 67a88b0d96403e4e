import { equalBytes } from "@credlink/primitives";

/** When a certificate is due: when less is left than both, the time and the part of its validity. */
export interface RenewalLead {
  readonly leadMs: number;
  /** Of the validity, 1 to 100. */
  readonly leadPercent: number;
}

interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Everything that decides how a renewal goes on; none of it is remembered apart from files and chain. */
export interface RenewalFacts {
  readonly nowMs: number;
  readonly lead: RenewalLead;
  /** The certificate and key that the node's files name. */
  readonly current: { readonly certificate: Validity; readonly publicKey: Uint8Array };
  /** The key made to follow it, with its certificate once that was issued. */
  readonly next: {
    readonly publicKey: Uint8Array;
    readonly isCertified: boolean;
    readonly isAnnounced: boolean;
  } | null;
  /** The key that counts for the node's member after the head; null: no member is known. */
  readonly registeredKey: Uint8Array | null;
  /** Keys of V(head + 1). */
  readonly votingKeys: readonly Uint8Array[];
  /** Whether every peer refuses the node because its member has another key by now. */
  readonly isRefusedAsReplaced: boolean;
}

export type RenewalStep =
  /** Nothing is due before this moment. */
  | { readonly type: "rest"; readonly untilMs: number }
  /** Make the next key, durably. */
  | { readonly type: "make-key" }
  /** Have the next key certified. */
  | { readonly type: "request" }
  /** Put the next key in the present one's place on chain. */
  | { readonly type: "announce" }
  /** The chain took it while the node was away: peers know the next key alone. */
  | { readonly type: "present-next" }
  /** The block above the head is still voted on with the present key. */
  | { readonly type: "await-handover" }
  /** Put the next key and certificate in the place of the present ones. */
  | { readonly type: "switch" };

/** The moment from which on a certificate is to be renewed, milliseconds since 1970. */
export function dueAtMs({ notBeforeMs, notAfterMs }: Validity, lead: RenewalLead): number {
  const share = ((notAfterMs - notBeforeMs) * lead.leadPercent) / 100;
  return notAfterMs - Math.min(lead.leadMs, share);
}

/**
 * What a renewal does next. It follows from files and chain alone, so that a process that went down
 * anywhere goes on where it was.
 */
export function nextStep(facts: RenewalFacts): RenewalStep {
  const { current, next, registeredKey, votingKeys } = facts;
  if (next === null) {
    const untilMs = dueAtMs(current.certificate, facts.lead);
    return facts.nowMs < untilMs ? { type: "rest", untilMs } : { type: "make-key" };
  }
  if (!next.isCertified) return { type: "request" };
  const isRegistered = registeredKey !== null && equalBytes(registeredKey, next.publicKey);
  if (!isRegistered) {
    const isGone = next.isAnnounced && facts.isRefusedAsReplaced;
    return { type: isGone ? "present-next" : "announce" };
  }
  // What is voted on now is signed with the key that stands in its list of validators.
  const isVoting = votingKeys.some((key) => equalBytes(key, current.publicKey));
  return { type: isVoting ? "await-handover" : "switch" };
}
