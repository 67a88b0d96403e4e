import {
  type Certificate,
  certificateToPem,
  createCertificate,
  createRevocationList,
  createSelfSignedCertificate,
  createSm2Signer,
  generateKeyPair,
  revocationListToPem,
} from "@credlink/crypto";

const HOUR_MS = 3_600_000;

/** A hierarchy of certificates that is none of the consortium's: a root, and the CA that issues. */
export async function createOutsideAuthority() {
  const rootKey = generateKeyPair();
  const issuingKey = generateKeyPair();
  const rootSigner = createSm2Signer(rootKey.privateKey);
  const signer = createSm2Signer(issuingKey.privateKey);
  const times = { notBeforeMs: Date.now() - HOUR_MS, notAfterMs: Date.now() + 9_000 * HOUR_MS };
  const root = await createSelfSignedCertificate({
    ...{ ...times, signer: rootSigner, authority: { pathLength: 1 } },
    subject: { commonName: "Outside Root", organization: "Outside", organizationalUnit: "trust" },
  });
  const issuing = await createCertificate({
    ...{ ...times, signer: rootSigner, issuer: root, authority: { pathLength: 0 } },
    subject: { commonName: "Outside CA 3", organization: "Outside", organizationalUnit: "trust" },
    subjectKey: issuingKey.publicKey,
  });
  return {
    /** As an outside authority publishes it: PEM, the root first. */
    chain: certificateToPem(root) + certificateToPem(issuing),
    /** A key, and the certificate over it: the holder is of no organisation of the consortium. */
    async issue(commonName: string) {
      const { privateKey, publicKey } = generateKeyPair();
      const certificate = await createCertificate({
        ...{ ...times, signer, issuer: issuing, subjectKey: publicKey },
        subject: { commonName, organization: commonName, organizationalUnit: "registered" },
      });
      return { signer: createSm2Signer(privateKey), certificate };
    },
    /** Its list that names these certificates, PEM. */
    async revoke(...certificates: readonly Certificate[]): Promise<string> {
      const thisUpdateMs = Date.now();
      const list = await createRevocationList({
        ...{
          thisUpdateMs,
          nextUpdateMs: thisUpdateMs + HOUR_MS,
          number: 1,
          issuer: issuing,
          signer,
        },
        revoked: certificates.map(({ serialNumber }) => ({
          ...{ serialNumber, revokedAtMs: thisUpdateMs, reason: "keyCompromise" as const },
        })),
      });
      return revocationListToPem(list);
    },
  };
}
