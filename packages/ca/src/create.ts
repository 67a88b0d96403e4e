import {
  type Certificate,
  certificateToPem,
  createSelfSignedCertificate,
  createSigningRequest,
  createSm2Signer,
  generateKeyPair,
  parseCertificate,
  type SigningRequest,
  saveKeyFile,
  signingRequestToPem,
  verifyAuthorityChain,
  wipe,
} from "@credlink/crypto";
import type { Clock, Signer } from "@credlink/primitives";
import { equalBytes } from "@credlink/primitives";
import { CaError } from "./errors.ts";
import { authorityPaths, makeOwnFolder, replaceFile } from "./files.ts";
import { AuthorityFolder, CA_FORMAT, currentActor } from "./folder.ts";

const DAY_MS = 86_400_000;
/** Certificates begin a little before they are made, for clocks that are behind, milliseconds. */
export const BACKDATE_MS = 5 * 60_000;

/** A new authority. */
export interface NewAuthority {
  /** New or empty. */
  readonly dir: string;
  /** Of a root: the consortium's name. */
  readonly organization: string;
  /** Protects the key file. */
  readonly password: string;
  readonly clock: Clock;
}

async function makeKey(dir: string, password: string): Promise<Signer> {
  const pair = generateKeyPair();
  try {
    await saveKeyFile(authorityPaths(dir).key, pair.privateKey, { password });
    return createSm2Signer(pair.privateKey);
  } finally {
    wipe(pair.privateKey);
  }
}

/** Writes what a CA's folder is of. */
export function describeAuthority(
  dir: string,
  kind: "root" | "organization",
  organization: string,
) {
  const text = JSON.stringify({ format: CA_FORMAT, kind, organization }, null, 2);
  return replaceFile(authorityPaths(dir).description, `${text}\n`);
}

/**
 * Makes a consortium's root: a self-signed CA that certifies organisations' CAs.
 * @param input.days of validity
 * @throws CaError CA_FOLDER_EXISTS, CA_WRITE_FAILED; CryptoError CRYPTO_CERTIFICATE_NAME_INVALID
 */
export async function createRootAuthority(
  input: NewAuthority & { readonly days: number },
): Promise<Certificate> {
  const { dir, organization, clock } = input;
  await makeOwnFolder(dir);
  const signer = await makeKey(dir, input.password);
  const nowMs = clock.nowMs();
  const certificate = await createSelfSignedCertificate({
    subject: { commonName: `${organization} root`, organization, organizationalUnit: "ca" },
    notBeforeMs: nowMs - BACKDATE_MS,
    notAfterMs: nowMs + input.days * DAY_MS,
    authority: { pathLength: 1 },
    signer,
  });
  const { certificate: path, roots } = authorityPaths(dir);
  await replaceFile(path, certificateToPem(certificate));
  await replaceFile(roots, certificateToPem(certificate));
  await describeAuthority(dir, "root", organization);
  await recordCreation(new AuthorityFolder(dir, clock), "root", organization, certificate);
  return certificate;
}

/**
 * Makes an organisation's CA up to its request, which the root signs; `acceptCertificate` ends it.
 * @throws CaError CA_FOLDER_EXISTS, CA_WRITE_FAILED; CryptoError CRYPTO_CERTIFICATE_NAME_INVALID
 */
export async function createOrganizationAuthority(input: NewAuthority): Promise<SigningRequest> {
  const { dir, organization } = input;
  await makeOwnFolder(dir);
  const signer = await makeKey(dir, input.password);
  const subject = { commonName: `${organization} CA`, organization, organizationalUnit: "ca" };
  const request = await createSigningRequest({ subject, signer });
  await replaceFile(authorityPaths(dir).request, signingRequestToPem(request));
  await describeAuthority(dir, "organization", organization);
  return request;
}

/**
 * Takes the certificate that the root made for an organisation's CA into use.
 * @param input.publicKey of the folder's key: what the certificate must be for
 * @throws CaError CA_KIND_WRONG, CA_ALREADY_ACCEPTED, CA_CERTIFICATE_REFUSED
 */
export async function acceptCertificate(
  folder: AuthorityFolder,
  input: { readonly certificate: Certificate; readonly root: Certificate; publicKey: Uint8Array },
): Promise<void> {
  const { certificate, root } = input;
  await folder.run({ act: "accept", actor: currentActor() }, async (act) => {
    const { kind, organization } = act.description;
    if (kind !== "organization") throw new CaError("CA_KIND_WRONG", "a root certifies itself");
    if (act.state.own !== undefined) throw new CaError("CA_ALREADY_ACCEPTED", organization);
    const isOwn =
      equalBytes(certificate.subjectKey, input.publicKey) &&
      certificate.subject.organization === organization;
    if (!isOwn) throw new CaError("CA_CERTIFICATE_REFUSED", "of another key or organisation");
    const verified = verifyAuthorityChain({
      authority: certificate,
      intermediates: [],
      roots: [root],
      revocationLists: [],
      atMs: act.nowMs,
    });
    if (!verified.ok) throw new CaError("CA_CERTIFICATE_REFUSED", verified.code);
    await replaceFile(act.paths.certificate, certificateToPem(certificate));
    await replaceFile(act.paths.roots, certificateToPem(root));
    await act.record({ type: "created", kind, organization, certificate: base64(certificate.der) });
  });
}

async function recordCreation(
  folder: AuthorityFolder,
  kind: "root" | "organization",
  organization: string,
  certificate: Certificate,
): Promise<void> {
  await folder.run({ act: "create", actor: currentActor() }, (act) =>
    act.record({ type: "created", kind, organization, certificate: base64(certificate.der) }),
  );
}

/** DER as records keep it. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** A certificate from PEM or DER that somebody sent. @throws CaError CA_CERTIFICATE_REFUSED */
export function readCertificateOf(input: Uint8Array): Certificate {
  const text = new TextDecoder("latin1").decode(input);
  const parsed = parseCertificate(text.includes("-----BEGIN") ? text : input);
  if (parsed.ok) return parsed.value;
  throw new CaError("CA_CERTIFICATE_REFUSED", parsed.code);
}
