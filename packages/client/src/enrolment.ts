import {
  addressFromPublicKey,
  CryptoError,
  createSm2Signer,
  hmacSm3,
  publicKeyFromPrivate,
  wipe,
} from "@credlink/crypto";
import {
  type BindKeyArgs,
  BUILT_IN_VERSION,
  bindKeyArgsCodec,
  type IdentityEvidenceKind,
  type IndividualToEnroll,
  identityEvidenceKinds,
  keyBindingMessage,
  MEMBERS_CONTRACT,
} from "@credlink/ledger";
import {
  type Address,
  type Codec,
  concatBytes,
  type Digest,
  encode,
  oneOf,
  type Signer,
  struct,
  text,
  toHex,
  u32,
  utf8,
} from "@credlink/primitives";
import { evidenceDigest, type SeenEvidence } from "./member-identity.ts";
import { proveKey } from "./member-keys.ts";
import type { Call } from "./transactions.ts";

/** Longest reference, bytes in UTF-8. */
export const MAX_REFERENCE_BYTES = 128;

/** An individual as its institution knows it. */
export interface Person {
  /** The institution's own number for it, unique within the institution: 1 to 128 bytes. */
  readonly reference: string;
  readonly kind: IdentityEvidenceKind;
  /** What it showed, in the normal form that `readEvidence` makes. */
  readonly value: string;
}

/** What an institution's enrolment key makes for one person, the same each time. */
export interface PersonEnrolment {
  readonly address: Address;
  /** Private half of the one-time enrolment key, 32 bytes: for the person alone. */
  readonly secret: Uint8Array;
  readonly seen: SeenEvidence;
}

const referenceCodec: Codec<{ readonly reference: string; readonly attempt: number }> = struct({
  reference: text(MAX_REFERENCE_BYTES),
  attempt: u32,
});
const saltCodec: Codec<Person> = struct({
  reference: text(MAX_REFERENCE_BYTES),
  kind: oneOf(...identityEvidenceKinds),
  value: text(256),
});
const SECRET_DOMAIN = utf8("credlink/enrolment-secret/1");
const SALT_DOMAIN = utf8("credlink/enrolment-salt/1");

/**
 * Derives a person's address, one-time secret and salt by HMAC-SM3 under the institution's enrolment
 * key, so that a list enrolled again meets the same addresses and no file of secrets needs keeping.
 * Whoever has that key can open every digest made under it and bind every key not yet bound.
 *
 * @param enrolmentKey 32 secret bytes.
 */
export function enrolPerson(
  enrolmentKey: Uint8Array,
  genesisDigest: Digest,
  person: Person,
): PersonEnrolment {
  const { secret, address } = enrolmentSecret(enrolmentKey, genesisDigest, person.reference);
  const salt = hmacSm3(
    enrolmentKey,
    concatBytes(SALT_DOMAIN, genesisDigest, encode(saltCodec, person)),
  );
  const { kind, value } = person;
  return { address, secret, seen: { kind, value, salt: toHex(salt) } };
}

/**
 * The one-time secret of a reference, and the address that it gives: of the outputs for 0, 1 … the
 * first that is a private key. The chance that one is not is about 2^-32.
 */
export function enrolmentSecret(
  enrolmentKey: Uint8Array,
  genesisDigest: Digest,
  reference: string,
): Pick<PersonEnrolment, "address" | "secret"> {
  for (let attempt = 0; ; attempt++) {
    const place = encode(referenceCodec, { reference, attempt });
    const secret = hmacSm3(enrolmentKey, concatBytes(SECRET_DOMAIN, genesisDigest, place));
    try {
      return { secret, address: addressFromPublicKey(publicKeyFromPrivate(secret)) };
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
    }
  }
}

/** What goes on chain of a person: nothing of it tells reference, value or secret. */
export function individualOf({ address, seen }: PersonEnrolment): IndividualToEnroll {
  return { address, evidence: [{ kind: seen.kind, digest: evidenceDigest(seen) }] };
}

/**
 * Binds a key of one's own by the one-time secret. Made where both private keys are; what comes out
 * may travel, and puts no other key in this one's place.
 *
 * @param secret `PersonEnrolment.secret`; it is wiped.
 */
export async function proveBinding(
  secret: Uint8Array,
  own: Signer,
  genesisDigest: Digest,
): Promise<BindKeyArgs> {
  const enrolment = createSm2Signer(secret);
  wipe(secret);
  const address = addressFromPublicKey(enrolment.publicKey);
  const message = keyBindingMessage(genesisDigest, { address, publicKey: own.publicKey });
  return {
    address,
    enrolmentKey: enrolment.publicKey,
    authorization: await enrolment.sign(message),
    ...(await proveKey(own, genesisDigest, { address, index: 0 })),
  };
}

/** Two signatures and the writes, with room. */
const BIND_GAS = 2_500_000;

/** Brings a binding, as any member but a node. */
export function bindKeyCall(binding: BindKeyArgs): Call {
  return {
    contract: MEMBERS_CONTRACT,
    version: BUILT_IN_VERSION,
    method: "bindKey",
    args: encode(bindKeyArgsCodec, binding),
    gasLimit: BIND_GAS,
  };
}
