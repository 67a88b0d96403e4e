import {
  type Address,
  addressCodec,
  bool,
  type Codec,
  type Digest,
  decode,
  digestCodec,
  encode,
  list,
  nullable,
  oneOf,
  struct,
  text,
  u32,
} from "@credlink/primitives";

/*
 * What some types carry beside the common fields, because the contract itself must know it: a
 * record's `terms` are the canonical bytes of one of these.
 */

/** Terms of an arbitration case. */
export interface CaseTerms {
  /** Digest of the evidence package that the claimant exported. */
  readonly evidenceDigest: Digest;
  /** Whether what the case is about is on hold while it is open. */
  readonly holds: boolean;
}
export const caseTermsCodec: Codec<CaseTerms> = struct({
  evidenceDigest: digestCodec,
  holds: bool,
});

export const verdictResults = ["upheld", "dismissed"] as const;
/** Terms of a verdict; what is done to the targets stands in the parents' relations. */
export interface VerdictTerms {
  readonly result: (typeof verdictResults)[number];
}
export const verdictTermsCodec: Codec<VerdictTerms> = struct({ result: oneOf(...verdictResults) });

export const grantActions = ["read", "verify", "export"] as const;
export type GrantAction = (typeof grantActions)[number];

/** Terms of a grant; its beginning and end are the record's validity. */
export interface GrantTerms {
  readonly grantee: Address;
  /** Code of the purpose: what the data is used for, and nothing else. */
  readonly purpose: string;
  readonly actions: readonly GrantAction[];
  /** From 1; null: as often as the grantee likes. */
  readonly maxUses: number | null;
  readonly isRevocable: boolean;
  /** Digest of the list of fields; null: all of the payload. */
  readonly fieldsDigest: Digest | null;
  /** Digest of the data subject's consent, when the institution grants for it. */
  readonly consentDigest: Digest | null;
}

/** The number that stands for an action on chain: 1 read, 2 verify, 4 export. */
export function grantActionCode(action: GrantAction): number {
  return 1 << grantActions.indexOf(action);
}

interface GrantWire {
  readonly grantee: Address;
  readonly purpose: string;
  readonly actions: number;
  readonly maxUses: number | null;
  readonly isRevocable: boolean;
  readonly fieldsDigest: Digest | null;
  readonly consentDigest: Digest | null;
}
const grantWireCodec: Codec<GrantWire> = struct({
  grantee: addressCodec,
  purpose: text(64),
  actions: u32,
  maxUses: nullable(u32),
  isRevocable: bool,
  fieldsDigest: nullable(digestCodec),
  consentDigest: nullable(digestCodec),
});

/** Canonical bytes of a grant's terms. */
export function encodeGrantTerms(terms: GrantTerms): Uint8Array {
  const actions = terms.actions.reduce((mask, action) => mask | grantActionCode(action), 0);
  return encode(grantWireCodec, { ...terms, actions });
}

/** Undoes `encodeGrantTerms`. @throws CodecError */
export function decodeGrantTerms(bytes: Uint8Array): GrantTerms {
  const wire = decode(grantWireCodec, bytes);
  const actions = grantActions.filter((action) => (wire.actions & grantActionCode(action)) !== 0);
  return { ...wire, actions };
}

/** `setArbitrators` takes it and `arbitrators` returns it. */
export interface ArbitratorPanel {
  /** How many must sign a verdict; 0 before any were named. */
  readonly threshold: number;
  readonly arbitrators: readonly Address[];
}
export const arbitratorPanelCodec: Codec<ArbitratorPanel> = struct({
  threshold: u32,
  arbitrators: list(addressCodec, 16),
});
