import { taggedSm3 } from "@credlink/crypto";
import {
  assertNever,
  type Codec,
  type Digest,
  digestCodec,
  encode,
  type Height,
  heightCodec,
  nullable,
  struct,
  text,
  type ValidatorIndex,
  type View,
  validatorIndexCodec,
  viewCodec,
} from "@credlink/primitives";
import type {
  CommitCertificate,
  IndexedSignature,
  Message,
  PreparedCertificate,
  Unsigned,
  ViewChangeVote,
} from "./messages.ts";
import type { Statement } from "./statements.ts";

/** Which chain a signature is for. */
export interface ChainContext {
  readonly chainId: string;
  readonly genesisDigest: Digest;
}

/**
 * What every consensus signature binds beside its own fields. The validators' hash keeps a vote
 * from being used again under another validator list, where the index names somebody else.
 */
export interface SignatureContext extends ChainContext {
  /** Hash of V(h), h being the height that the message is about. */
  readonly validatorsHash: Digest;
}

/** A signature to be checked: SM2 by validator `index` over the 32 bytes of `message`. */
export interface SignatureClaim {
  readonly index: ValidatorIndex;
  readonly message: Digest;
  readonly signature: Uint8Array;
}

/** What carries a signature of its own: all messages but DECIDED, whole or as statements. */
export type SignableMessage = Unsigned<Statement>;

const contextFields = {
  chainId: text(128),
  genesisDigest: digestCodec,
  validatorsHash: digestCodec,
};
const placeFields = { height: heightCodec, view: viewCodec };

interface Place extends SignatureContext {
  readonly height: Height;
  readonly view: View;
  readonly sender: ValidatorIndex;
}

const voteCodec: Codec<Place & { readonly digest: Digest }> = struct({
  ...contextFields,
  ...placeFields,
  digest: digestCodec,
  sender: validatorIndexCodec,
});

const prePrepareCodec: Codec<Place & { readonly parentDigest: Digest; readonly digest: Digest }> =
  struct({
    ...contextFields,
    ...placeFields,
    parentDigest: digestCodec,
    digest: digestCodec,
    sender: validatorIndexCodec,
  });

const wishCodec: Codec<Place> = struct({
  ...contextFields,
  ...placeFields,
  sender: validatorIndexCodec,
});

const viewChangeCodec: Codec<
  Place & { readonly preparedView: View | null; readonly preparedDigest: Digest | null }
> = struct({
  ...contextFields,
  ...placeFields,
  preparedView: nullable(viewCodec),
  preparedDigest: nullable(digestCodec),
  sender: validatorIndexCodec,
});

function payload<T>(type: string, codec: Codec<T>, fields: T): Digest {
  return taggedSm3(`credlink/consensus/${type}/1`, encode(codec, fields));
}

/**
 * The 32 bytes that get SM2-signed for a message:
 * SM3("credlink/consensus/<type>/1", [chainId, genesisDigest, validatorsHash, …signed fields]).
 *
 * @param context `validatorsHash` is that of V(message.height).
 */
export function signedPayload(context: SignatureContext, message: SignableMessage): Digest {
  const fields = { ...message, ...pickContext(context) };
  switch (fields.type) {
    case "pre-prepare":
      return payload(fields.type, prePrepareCodec, fields);
    case "prepare":
    case "commit":
      return payload(fields.type, voteCodec, fields);
    case "wish":
      return payload(fields.type, wishCodec, fields);
    case "view-change":
      return payload(fields.type, viewChangeCodec, fields);
    default:
      return assertNever(fields);
  }
}

/** The signed bytes of a proposal, of which only these fields are signed. */
export function proposedPayload(
  context: SignatureContext,
  fields: Omit<Place, keyof SignatureContext> & {
    readonly parentDigest: Digest;
    readonly digest: Digest;
  },
): Digest {
  return payload("pre-prepare", prePrepareCodec, { ...fields, ...pickContext(context) });
}

function pickContext(context: SignatureContext): SignatureContext {
  const { chainId, genesisDigest, validatorsHash } = context;
  return { chainId, genesisDigest, validatorsHash };
}

/** Claims of a certificate: each signer's PREPARE, or COMMIT, for its height, view and digest. */
export function certificateClaims(
  type: "prepare" | "commit",
  certificate: PreparedCertificate | CommitCertificate,
  context: SignatureContext,
): readonly SignatureClaim[] {
  const { height, view, digest } = certificate;
  return certificate.signatures.map(({ index, signature }: IndexedSignature) => ({
    index,
    message: signedPayload(context, { type, height, view, digest, sender: index }),
    signature,
  }));
}

/** The claim of a view change's signed part. */
export function viewChangeClaim(vote: ViewChangeVote, context: SignatureContext): SignatureClaim {
  const { height, view, preparedView, preparedDigest, sender, signature } = vote;
  const message = signedPayload(context, {
    type: "view-change",
    height,
    view,
    preparedView,
    preparedDigest,
    sender,
    prepared: null,
  });
  return { index: sender, message, signature };
}

/**
 * Every signature inside a message, its own first: the shell verifies them all, in one batch,
 * before the message reaches the core.
 *
 * @param context `validatorsHash` is that of V(h) of the message's (or its certificate's) height.
 */
export function signatureClaims(
  message: Message | Statement,
  context: SignatureContext,
): readonly SignatureClaim[] {
  switch (message.type) {
    case "decided":
      return certificateClaims("commit", message.certificate, context);
    case "prepare":
    case "commit":
    case "wish":
      return [ownClaim(message, context)];
    case "view-change":
      return [ownClaim(message, context), ...preparedClaims(message.prepared, context)];
    case "pre-prepare":
      return [
        ownClaim(message, context),
        ...(message.justification?.viewChanges ?? []).map((vote) => viewChangeClaim(vote, context)),
        ...preparedClaims(message.justification?.prepared ?? null, context),
      ];
    default:
      return assertNever(message);
  }
}

function ownClaim(message: Statement, context: SignatureContext): SignatureClaim {
  return {
    index: message.sender,
    message: signedPayload(context, message),
    signature: message.signature,
  };
}

function preparedClaims(
  prepared: PreparedCertificate | null,
  context: SignatureContext,
): readonly SignatureClaim[] {
  return prepared === null ? [] : certificateClaims("prepare", prepared, context);
}
