import { type Certificate, parseCertificate, sm2SignatureToDer } from "@credlink/crypto";
import { concatBytes, equalBytes, type Signer, utf8 } from "@credlink/primitives";

/** Bytes of a certificate after its signed part: algorithm SM2-with-SM3, signature to follow. */
const ALGORITHM = Uint8Array.of(0x30, 0x0a, 0x06, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x75);

function element(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  if (length < 0x80) return concatBytes(Uint8Array.of(tag, length), content);
  return concatBytes(Uint8Array.of(tag, 0x82, length >>> 8, length & 0xff), content);
}

function utcTime(timeMs: number): Uint8Array {
  const text = new Date(timeMs).toISOString().slice(2, 19).replaceAll(/[-:T]/g, "");
  return utf8(`${text}Z`);
}

/**
 * A certificate with another end (before 2050), signed anew: what a CA of other software may
 * issue and ours never does.
 */
export async function withLaterEnd(
  certificate: Certificate,
  notAfterMs: number,
  issuer: Signer,
): Promise<Certificate> {
  const signedBytes = certificate.signedBytes.slice();
  const before = utcTime(certificate.notAfterMs);
  const at = signedBytes.findIndex((_, start) =>
    equalBytes(signedBytes.subarray(start, start + before.length), before),
  );
  signedBytes.set(utcTime(notAfterMs), at);
  const signature = sm2SignatureToDer(await issuer.sign(signedBytes));
  if (!signature.ok) throw new Error(signature.code);
  const bits = element(3, concatBytes(Uint8Array.of(0), signature.value));
  const made = parseCertificate(element(0x30, concatBytes(signedBytes, ALGORITHM, bits)));
  if (!made.ok || made.value.notAfterMs !== notAfterMs) throw new Error("not made as asked");
  return made.value;
}
