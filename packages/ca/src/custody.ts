import { CUSTODY_NOTICE, CUSTODY_NOTICE_ID } from "@credlink/api";
import { sm2Verify, taggedSm3 } from "@credlink/crypto";
import { fromHex, type Signer, toHex, utf8 } from "@credlink/primitives";
import { z } from "zod";
import { CaError } from "./errors.ts";

export { CUSTODY_NOTICE, CUSTODY_NOTICE_ID };

const ACKNOWLEDGEMENT_DOMAIN = "credlink/custody-acknowledgement/1";

const acknowledgement = z.strictObject({
  notice: z.literal(CUSTODY_NOTICE_ID),
  /** 65 bytes, hexadecimal: the key that is taken into custody. */
  publicKey: z.string().regex(/^04[0-9a-f]{128}$/),
  at: z.iso.datetime(),
  /** r ‖ s, hexadecimal. */
  signature: z.string().regex(/^[0-9a-f]{128}$/),
});

/** A holder's signed word that it has read the notice. */
export type Acknowledgement = z.infer<typeof acknowledgement>;

function signedMessage(publicKey: Uint8Array, at: string): Uint8Array {
  return taggedSm3(ACKNOWLEDGEMENT_DOMAIN, utf8(CUSTODY_NOTICE), publicKey, utf8(at));
}

/** Signs with the key that was made that the notice was read. */
export async function acknowledgeCustody(signer: Signer, atMs: number): Promise<Acknowledgement> {
  const at = new Date(atMs).toISOString();
  const signature = await signer.sign(signedMessage(signer.publicKey, at));
  return {
    notice: CUSTODY_NOTICE_ID,
    publicKey: toHex(signer.publicKey),
    at,
    signature: toHex(signature),
  };
}

/**
 * Checks that the holder of `publicKey` acknowledged the notice.
 * @throws CaError CA_CUSTODY_UNACKNOWLEDGED
 */
export function checkAcknowledgement(text: string, publicKey: Uint8Array): Acknowledgement {
  const parsed = acknowledgement.safeParse(parseJson(text));
  if (!parsed.success) throw unacknowledged("the file is no acknowledgement of this notice");
  const { at, signature } = parsed.data;
  const isOwn = parsed.data.publicKey === toHex(publicKey);
  if (!isOwn || !sm2Verify(publicKey, signedMessage(publicKey, at), fromHex(signature))) {
    throw unacknowledged("not signed with the key that is to be certified");
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unacknowledged(detail: string): CaError {
  return new CaError("CA_CUSTODY_UNACKNOWLEDGED", detail);
}
