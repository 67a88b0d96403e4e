import { readFile } from "node:fs/promises";
import {
  createSm2Signer,
  loadKeyFile,
  parseRevocationList,
  taggedSm3,
  verifySignatureOf,
  wipe,
} from "@credlink/crypto";
import { equalBytes, type Signer, toHex } from "@credlink/primitives";
import { CaError } from "./errors.ts";
import { reasonOf } from "./files.ts";
import type { Act, AuthorityFolder } from "./folder.ts";
import { ownCertificate } from "./issue.ts";
import { LIST_DOMAIN } from "./revoke.ts";

/**
 * The authority's key, opened with its password.
 * @throws CryptoError CRYPTO_KEY_…; CaError CA_CERTIFICATE_REFUSED when it is not the certificate's
 */
export async function unlockAuthority(folder: AuthorityFolder, password: string): Promise<Signer> {
  const privateKey = await loadKeyFile(folder.paths.key, { password });
  const signer = createSm2Signer(privateKey);
  wipe(privateKey);
  const own = await folder.read((act) => ownCertificate(act));
  if (!equalBytes(own.subjectKey, signer.publicKey)) {
    throw new CaError("CA_CERTIFICATE_REFUSED", "ca.crt is not of the key in ca.key");
  }
  return signer;
}

/** What `checkAuthority` went through. */
export interface CheckedAuthority {
  readonly certificates: number;
  readonly revoked: number;
  /** Number of the newest list; 0 when there is none. */
  readonly list: number;
}

/**
 * Goes through all that an authority has: the journals' lines (read by the act itself), the
 * signature of every certificate, and the newest list. For after a restore, and now and then.
 * @throws CaError CA_JOURNAL_DAMAGED, CA_NOT_ACCEPTED
 */
export async function checkAuthority(act: Act): Promise<CheckedAuthority> {
  const { own } = act.state;
  if (own === undefined) throw new CaError("CA_NOT_ACCEPTED", act.description.organization);
  const issued = act.state.issued();
  for (const { certificate } of issued) {
    if (!verifySignatureOf(certificate, own.subjectKey)) {
      throw new CaError("CA_JOURNAL_DAMAGED", `certificate ${certificate.serialNumber}`);
    }
  }
  const number = act.state.list?.number ?? 0;
  if (number > 0) await checkList(act, number, own.subjectKey);
  const revoked = issued.filter(
    ({ certificate }) => act.state.revocationOf(certificate.serialNumber) !== undefined,
  );
  return { certificates: issued.length, revoked: revoked.length, list: number };
}

async function checkList(act: Act, number: number, publicKey: Uint8Array): Promise<void> {
  const der = await readListFile(act, number);
  const list = parseRevocationList(der);
  const isOwn =
    list.ok &&
    verifySignatureOf(list.value, publicKey) &&
    act.state.list?.fingerprint === toHex(taggedSm3(LIST_DOMAIN, der));
  if (!isOwn) throw new CaError("CA_JOURNAL_DAMAGED", act.paths.list(number));
}

/** DER of a list that the authority made. @throws CaError CA_WRITE_FAILED */
export async function readListFile(act: Act, number: number): Promise<Uint8Array> {
  const path = act.paths.list(number);
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new CaError("CA_WRITE_FAILED", `${path}: ${reasonOf(cause)}`, { cause });
  }
}
