import {
  type Certificate,
  type CertificateContent,
  createCertificate,
  createSelfSignedCertificate,
  createSm2Signer,
  generateKeyPair,
} from "../../src/index.ts";

export const NOW_MS = Date.parse("2027-01-01T00:00:00Z");
export const DAY_MS = 86_400_000;

/** A certificate with the signer of its key. */
export interface Holder {
  readonly certificate: Certificate;
  readonly signer: ReturnType<typeof createSm2Signer>;
}

type Change = Partial<CertificateContent>;

function newSigner(): Holder["signer"] {
  return createSm2Signer(generateKeyPair().privateKey);
}

/** A consortium root. */
export async function makeRoot(commonName = "Root", change: Change = {}): Promise<Holder> {
  const signer = newSigner();
  const certificate = await createSelfSignedCertificate({
    subject: { commonName, organization: "联盟", organizationalUnit: "" },
    notBeforeMs: NOW_MS - DAY_MS,
    notAfterMs: NOW_MS + 3650 * DAY_MS,
    authority: { pathLength: 2 },
    ...change,
    signer,
  });
  return { certificate, signer };
}

/** A CA of `organization` below `issuer`. */
export async function makeAuthority(
  issuer: Holder,
  organization = "云账户",
  change: Change = {},
): Promise<Holder> {
  return makeMember(issuer, {
    subject: { commonName: `${organization} CA`, organization, organizationalUnit: "ca" },
    notAfterMs: NOW_MS + 3000 * DAY_MS,
    authority: { pathLength: 0 },
    ...change,
  });
}

/** A validator of 云账户 below `issuer`, for a year. */
export async function makeMember(issuer: Holder, change: Change = {}): Promise<Holder> {
  const signer = newSigner();
  const certificate = await createCertificate({
    subject: { commonName: "node-1", organization: "云账户", organizationalUnit: "validator" },
    subjectKey: signer.publicKey,
    notBeforeMs: NOW_MS - DAY_MS,
    notAfterMs: NOW_MS + 364 * DAY_MS,
    ...change,
    issuer: issuer.certificate,
    signer: issuer.signer,
  });
  return { certificate, signer };
}
