import {
  createSigningRequest,
  createSm2Signer,
  type DistinguishedName,
  generateKeyPair,
  loadKeyFile,
  type SigningRequest,
  saveKeyFile,
  wipe,
} from "@credlink/crypto";
import { type Acknowledgement, acknowledgeCustody } from "./custody.ts";

/** What leaves the member's machine: never the key. */
export interface MemberRequest {
  readonly request: SigningRequest;
  /** The holder's signed word that it read the custody notice. */
  readonly acknowledgement: Acknowledgement;
}

/**
 * Makes a member's key at the member's side, in a new file that its owner alone may read, and the
 * request for its certificate.
 * @throws CryptoError CRYPTO_KEY_FILE_EXISTS, CRYPTO_KEY_FILE_UNREADABLE,
 *   CRYPTO_CERTIFICATE_NAME_INVALID
 */
export async function createMemberRequest(input: {
  readonly keyFile: string;
  readonly password: string;
  readonly subject: DistinguishedName;
  readonly nowMs: number;
  /** The key is in its file already: for a certificate of another CA over it. Default false. */
  readonly isPresentKey?: boolean;
}): Promise<MemberRequest> {
  const { keyFile, password, isPresentKey = false } = input;
  const { privateKey } = isPresentKey
    ? { privateKey: await loadKeyFile(keyFile, { password }) }
    : generateKeyPair();
  const signer = createSm2Signer(privateKey);
  try {
    const request = await createSigningRequest({ subject: input.subject, signer });
    if (!isPresentKey) await saveKeyFile(keyFile, privateKey, { password });
    return { request, acknowledgement: await acknowledgeCustody(signer, input.nowMs) };
  } finally {
    wipe(privateKey);
  }
}
