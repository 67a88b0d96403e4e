import {
  type Certificate,
  publicKeyFromPrivate,
  saveKeyFile,
  verifySignatureOf,
} from "@credlink/crypto";
import { equalBytes } from "@credlink/primitives";
import { acceptCertificate, base64, describeAuthority, type NewAuthority } from "./create.ts";
import { CaError } from "./errors.ts";
import { authorityPaths, makeOwnFolder } from "./files.ts";
import { AuthorityFolder, currentActor } from "./folder.ts";

/** An organisation's CA that was made elsewhere, and what it issued so far. */
export interface AdoptedAuthority extends NewAuthority {
  /** Its private key, 32 bytes; the caller wipes it. */
  readonly privateKey: Uint8Array;
  readonly certificate: Certificate;
  readonly root: Certificate;
  /** Certificates that it issued and that are to be renewed or revoked here. */
  readonly issued: readonly Certificate[];
}

/**
 * Makes the folder of an organisation's CA that has a key and a certificate already. Its database
 * begins with the certificates given: what is not among them can be neither renewed nor revoked.
 * @throws CaError CA_FOLDER_EXISTS, CA_CERTIFICATE_REFUSED, CA_WRITE_FAILED
 */
export async function adoptAuthority(input: AdoptedAuthority): Promise<void> {
  const { dir, organization, certificate, root, issued } = input;
  const publicKey = publicKeyFromPrivate(input.privateKey);
  if (!equalBytes(publicKey, certificate.subjectKey)) {
    throw new CaError("CA_CERTIFICATE_REFUSED", "of another key");
  }
  const seen = new Set<string>();
  for (const one of issued) {
    const { serialNumber, subject } = one;
    const isOwn =
      equalBytes(one.issuerDer, certificate.subjectDer) &&
      verifySignatureOf(one, publicKey) &&
      subject.organization === organization;
    if (!isOwn || seen.has(serialNumber)) {
      const why = isOwn ? "named twice" : "not issued by this CA";
      throw new CaError("CA_CERTIFICATE_REFUSED", `${subject.commonName}: ${why}`);
    }
    seen.add(serialNumber);
  }
  await makeOwnFolder(dir);
  await saveKeyFile(authorityPaths(dir).key, input.privateKey, { password: input.password });
  await describeAuthority(dir, "organization", organization);
  const folder = new AuthorityFolder(dir, input.clock);
  await acceptCertificate(folder, { certificate, root, publicKey });
  const details = { certificates: issued.length };
  await folder.run({ act: "adopt", actor: currentActor(), details }, async (act) => {
    for (const { der } of issued) {
      await act.record({ type: "issued", certificate: base64(der), replaces: null, code: null });
    }
  });
}
