import {
  bytes,
  type Codec,
  concatBytes,
  type Digest,
  digestCodec,
  encode,
  equalBytes,
  struct,
  text,
  utf8,
} from "@credlink/primitives";
import { INSTANCE_BYTES, type InstanceStatement } from "./protocols.ts";
import type { SignatureRequest } from "./signature-memory.ts";

/** The chain that a statement is made on. */
export interface InstanceChain {
  readonly chainId: string;
  readonly genesisDigest: Digest;
}

const signedCodec: Codec<InstanceChain & Pick<InstanceStatement, "instance" | "other">> = struct({
  chainId: text(64),
  genesisDigest: digestCodec,
  instance: bytes(INSTANCE_BYTES),
  other: bytes(INSTANCE_BYTES),
});

const DOMAIN = utf8("credlink/instance/1");

/** The bytes that SM2 signs: one byte length of the domain ‖ domain ‖ canonical statement. */
export function instanceSigningMessage(
  { chainId, genesisDigest }: InstanceChain,
  { instance, other }: Pick<InstanceStatement, "instance" | "other">,
): Uint8Array {
  const signed = encode(signedCodec, { chainId, genesisDigest, instance, other });
  return concatBytes(Uint8Array.of(DOMAIN.length), DOMAIN, signed);
}

/** What must hold for a statement to be of this key. */
export function instanceSignature(
  chain: InstanceChain,
  publicKey: Uint8Array,
  statement: InstanceStatement,
): SignatureRequest {
  const message = instanceSigningMessage(chain, statement);
  return { publicKey, message, signature: statement.signature };
}

/** Whether a statement is by one process about another one. */
export function isAbout(
  { instance, other }: InstanceStatement,
  by: Uint8Array | null,
  about: Uint8Array | null,
): boolean {
  if (equalBytes(instance, other)) return false;
  if (by !== null && !equalBytes(instance, by)) return false;
  return about === null || equalBytes(other, about);
}
