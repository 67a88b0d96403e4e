import { taggedSm3 } from "@credlink/crypto";
import {
  type Address,
  addressCodec,
  bytes,
  type Codec,
  type Digest,
  digestCodec,
  list,
  oneOf,
  struct,
  u53,
} from "@credlink/primitives";
import type { ProvenKey } from "./member-calls.ts";
import {
  type IdentityEvidence,
  identityEvidenceKinds,
  MAX_IDENTITY_EVIDENCE,
} from "./member-identity.ts";

/** Most individuals of one `members.enrollIndividuals`: their addresses fit into one event. */
export const MAX_INDIVIDUALS = 100;

/** Somebody who has no key of its own yet. */
export interface IndividualToEnroll {
  /** Address that the one-time enrolment key gives. */
  readonly address: Address;
  /** 1 to `MAX_IDENTITY_EVIDENCE` pieces: what was seen of it, salted. */
  readonly evidence: readonly Pick<IdentityEvidence, "kind" | "digest">[];
}

/** `members.enrollIndividuals`, by an admin or an institution for its own organisation. */
export interface EnrollIndividualsArgs {
  /** 1 to `MAX_INDIVIDUALS`. */
  readonly individuals: readonly IndividualToEnroll[];
  readonly validFromMs: number;
  readonly validToMs: number;
}
export const enrollIndividualsArgsCodec: Codec<EnrollIndividualsArgs> = struct({
  individuals: list(
    struct({
      address: addressCodec,
      evidence: list(
        struct({ kind: oneOf(...identityEvidenceKinds), digest: digestCodec }),
        MAX_IDENTITY_EVIDENCE,
      ),
    }),
    MAX_INDIVIDUALS,
  ),
  validFromMs: u53,
  validToMs: u53,
});

/**
 * What became of one individual: added; there already, of this organisation and with this evidence;
 * there with other evidence; or its address is some other member's. Only the first changes anything.
 */
export const enrolmentOutcomes = ["enrolled", "present", "differs", "taken"] as const;
export type EnrolmentOutcome = (typeof enrolmentOutcomes)[number];

/** What `members.enrollIndividuals` returns: one outcome per individual, in their order. */
export const enrolmentOutcomesCodec: Codec<readonly EnrolmentOutcome[]> = list(
  oneOf(...enrolmentOutcomes),
  MAX_INDIVIDUALS,
);

/** Data of the event of individuals that were added: their addresses, in their order. */
export const enrolledIndividualsCodec: Codec<readonly Address[]> = list(
  addressCodec,
  MAX_INDIVIDUALS,
);

/**
 * `members.bindKey`, brought by any member but a node: an enrolled individual takes its first key.
 * The enrolment key, whose address is the individual's, says which.
 */
export interface BindKeyArgs extends ProvenKey {
  readonly address: Address;
  /** 65 bytes, uncompressed. */
  readonly enrolmentKey: Uint8Array;
  /** r ‖ s, 64 bytes: the enrolment key's signature over `keyBindingMessage`. */
  readonly authorization: Uint8Array;
}
export const bindKeyArgsCodec: Codec<BindKeyArgs> = struct({
  address: addressCodec,
  enrolmentKey: bytes(65),
  authorization: bytes(64),
  publicKey: bytes(65),
  possession: bytes(64),
});

/**
 * The 32 bytes that an enrolment key signs, once: they name the chain, the individual and the key
 * that it takes, so that nobody who sees them on their way puts another key in its place.
 */
export function keyBindingMessage(
  genesisDigest: Digest,
  binding: { readonly address: Address; readonly publicKey: Uint8Array },
): Digest {
  const { address, publicKey } = binding;
  return taggedSm3("credlink/key-binding/1", genesisDigest, address, publicKey);
}
