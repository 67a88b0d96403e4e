import { createRevocationList, type RevocationList, taggedSm3 } from "@credlink/crypto";
import { type Signer, toHex } from "@credlink/primitives";
import { CaError } from "./errors.ts";
import { replaceFile } from "./files.ts";
import type { Act } from "./folder.ts";
import { findIssued, ownCertificate } from "./issue.ts";
import type { IssuedRevocationReason } from "./records.ts";

const DAY_MS = 86_400_000;
/** Domain of the digest under which the database knows a list. */
export const LIST_DOMAIN = "credlink/ca-list/1";

/**
 * Revokes a certificate for good. It counts elsewhere once a list that names it is published.
 * @throws CaError CA_SERIAL_UNKNOWN, CA_ALREADY_REVOKED, CA_WRITE_FAILED
 */
export async function revokeCertificate(
  act: Act,
  serialNumber: string,
  reason: IssuedRevocationReason,
): Promise<void> {
  const { certificate } = findIssued(act, serialNumber);
  if (act.state.revocationOf(certificate.serialNumber) !== undefined) {
    throw new CaError("CA_ALREADY_REVOKED", serialNumber);
  }
  const { serialNumber: known } = certificate;
  await act.record({ type: "revoked", serialNumber: known, reason, atMs: act.nowMs });
}

/**
 * Issues the next revocation list: its number is one above the last, its time later than the
 * last's, and it is due for replacement after `days`.
 * @throws CaError CA_NOT_ACCEPTED, CA_EXPIRED, CA_WRITE_FAILED
 */
export async function issueList(act: Act, signer: Signer, days: number): Promise<RevocationList> {
  const issuer = ownCertificate(act);
  const last = act.state.list;
  const number = (last?.number ?? 0) + 1;
  // Lists keep whole seconds, and the chain takes only a later one.
  const nowMs = Math.floor(act.nowMs / 1_000) * 1_000;
  const thisUpdateMs = Math.max(nowMs, (last?.thisUpdateMs ?? 0) + 1_000);
  const nextUpdateMs = thisUpdateMs + days * DAY_MS;
  const list = await createRevocationList({
    issuer,
    signer,
    thisUpdateMs,
    nextUpdateMs,
    number,
    revoked: act.state
      .toBeListed()
      .map(({ serialNumber, reason, atMs }) => ({ serialNumber, reason, revokedAtMs: atMs })),
  });
  await replaceFile(act.paths.list(number), list.der);
  const fingerprint = toHex(taggedSm3(LIST_DOMAIN, list.der));
  await act.record({ type: "list", number, thisUpdateMs, nextUpdateMs, fingerprint });
  return list;
}
