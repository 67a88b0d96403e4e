import {
  addressFromPublicKey,
  type Certificate,
  createCertificate,
  createSelfSignedCertificate,
  createSm2Signer,
  generateKeyPair,
} from "@credlink/crypto";
import type { Member, MemberRole } from "@credlink/ledger";
import { height, type Signer } from "@credlink/primitives";

export const HOUR_MS = 3_600_000;
export const YEAR_MS = 365 * 24 * HOUR_MS;

/** A certificate and the key behind it. */
export interface Authority {
  readonly certificate: Certificate;
  readonly signer: Signer;
}

export interface Credential extends Authority {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

export interface Lifetime {
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

/** A consortium root made for one test. */
export async function createRoot(name = "Test Root"): Promise<Authority> {
  const { privateKey } = generateKeyPair();
  const signer = createSm2Signer(privateKey);
  const certificate = await createSelfSignedCertificate({
    subject: { commonName: name, organization: "Consortium", organizationalUnit: "ca" },
    notBeforeMs: Date.now() - YEAR_MS,
    notAfterMs: Date.now() + 10 * YEAR_MS,
    authority: { pathLength: undefined },
    signer,
  });
  return { certificate, signer };
}

/** An organisation's CA below a root. */
export async function createAuthority(root: Authority, organization: string): Promise<Authority> {
  const { privateKey, publicKey } = generateKeyPair();
  const certificate = await createCertificate({
    subject: { commonName: `${organization} CA`, organization, organizationalUnit: "ca" },
    subjectKey: publicKey,
    notBeforeMs: Date.now() - YEAR_MS,
    notAfterMs: Date.now() + 9 * YEAR_MS,
    authority: { pathLength: 0 },
    issuer: root.certificate,
    signer: root.signer,
  });
  return { certificate, signer: createSm2Signer(privateKey) };
}

/** A node's or user's certificate; `role` is written into OU as it is. */
export async function createCredential(
  authority: Authority,
  commonName: string,
  role: string,
  lifetime: Lifetime = {},
): Promise<Credential> {
  const { privateKey, publicKey } = generateKeyPair();
  const certificate = await createCertificate({
    subject: {
      commonName,
      organization: authority.certificate.subject.organization,
      organizationalUnit: role,
    },
    subjectKey: publicKey,
    notBeforeMs: lifetime.notBeforeMs ?? Date.now() - HOUR_MS,
    notAfterMs: lifetime.notAfterMs ?? Date.now() + YEAR_MS,
    issuer: authority.certificate,
    signer: authority.signer,
  });
  return { certificate, signer: createSm2Signer(privateKey), privateKey, publicKey };
}

/** The registry's record of a credential, active unless changed. */
export function memberOf(
  credential: Credential,
  role: MemberRole,
  change: Partial<Member> = {},
): Member {
  return {
    address: addressFromPublicKey(credential.publicKey),
    organization: credential.certificate.subject.organization,
    role,
    status: "active",
    keys: [{ fromHeight: height(0), publicKey: credential.publicKey }],
    certificateDigest: credential.certificate.fingerprint,
    enrolledBy: null,
    validFromMs: credential.certificate.notBeforeMs,
    validToMs: credential.certificate.notAfterMs,
    ...change,
  };
}
