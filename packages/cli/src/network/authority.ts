import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  addressFromPublicKey,
  type Certificate,
  certificateToPem,
  createCertificate,
  createSelfSignedCertificate,
  createSm2Signer,
  generateKeyPair,
  parseCertificate,
  saveKeyFile,
  wipe,
} from "@credlink/crypto";
import { withKeyFile } from "@credlink/keys";
import type { MemberRole } from "@credlink/ledger";
import type { Address, Signer } from "@credlink/primitives";
import { readFileOf, readTextOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import type { Network } from "./layout.ts";

const DAY_MS = 86_400_000;
/** Certificates begin a little before they are made, for clocks that are behind. */
const BACKDATE_MS = 5 * 60_000;
const ROOT_DAYS = 20 * 365;
const AUTHORITY_DAYS = 10 * 365;

/** A certificate, its key's signer, and the files both were written to. */
export interface Issued {
  readonly certificate: Certificate;
  readonly signer: Signer;
  readonly address: Address;
  readonly files: {
    readonly certificate: string;
    readonly key: string;
    readonly passwordFile: string;
  };
}

/** Who a certificate is for, and how long. */
export interface MemberRequest {
  readonly organization: string;
  readonly role: MemberRole;
  readonly name: string;
  readonly days: number;
  readonly nowMs: number;
}

/**
 * Makes a key pair and writes it: the key encrypted under a password of 192 random bits, both
 * files readable by their owner alone.
 */
async function writeKey(folder: string, name: string) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pair = generateKeyPair();
  const password = randomBytes(24).toString("base64url");
  const files = {
    certificate: join(folder, `${name}.crt`),
    key: join(folder, `${name}.key`),
    passwordFile: join(folder, `${name}.password`),
  };
  writeFileSync(files.passwordFile, `${password}\n`, { mode: 0o600, flag: "wx" });
  try {
    await saveKeyFile(files.key, pair.privateKey, { password });
    return { publicKey: pair.publicKey, files, signer: createSm2Signer(pair.privateKey) };
  } finally {
    wipe(pair.privateKey);
  }
}

function finish(made: Awaited<ReturnType<typeof writeKey>>, certificate: Certificate): Issued {
  writeFileSync(made.files.certificate, certificateToPem(certificate), { flag: "wx" });
  const address = addressFromPublicKey(made.publicKey);
  return { certificate, signer: made.signer, address, files: made.files };
}

/** The consortium's root: signs organisation CAs and nothing else. */
export async function createRoot(folder: string, name: string, nowMs: number): Promise<Issued> {
  const made = await writeKey(folder, "root");
  const certificate = await createSelfSignedCertificate({
    subject: { commonName: `${name} root`, organization: name, organizationalUnit: "ca" },
    notBeforeMs: nowMs - BACKDATE_MS,
    notAfterMs: nowMs + ROOT_DAYS * DAY_MS,
    authority: { pathLength: 1 },
    signer: made.signer,
  });
  return finish(made, certificate);
}

/** An organisation's CA: signs its nodes and users. */
export async function createOrganizationAuthority(
  folder: string,
  organization: string,
  root: Issued,
  nowMs: number,
): Promise<Issued> {
  const made = await writeKey(folder, "ca");
  const certificate = await createCertificate({
    subject: { commonName: `${organization} CA`, organization, organizationalUnit: "ca" },
    subjectKey: made.publicKey,
    notBeforeMs: nowMs - BACKDATE_MS,
    notAfterMs: nowMs + AUTHORITY_DAYS * DAY_MS,
    authority: { pathLength: 0 },
    issuer: root.certificate,
    signer: root.signer,
  });
  return finish(made, certificate);
}

/** What signing a member's certificate needs of its organisation's CA. */
export type Authority = Pick<Issued, "certificate" | "signer">;

/** A member's certificate for a key that stays with the member. */
export function certifyKey(
  authority: Authority,
  subjectKey: Uint8Array,
  request: MemberRequest,
): Promise<Certificate> {
  return createCertificate({
    subject: {
      commonName: request.name,
      organization: request.organization,
      organizationalUnit: request.role,
    },
    subjectKey,
    notBeforeMs: request.nowMs - BACKDATE_MS,
    notAfterMs: request.nowMs + request.days * DAY_MS,
    issuer: authority.certificate,
    signer: authority.signer,
  });
}

/** A node or user: key, password and certificate under `folder`, named `fileName`. */
export async function createMember(
  folder: string,
  fileName: string,
  authority: Authority,
  request: MemberRequest,
): Promise<Issued> {
  const made = await writeKey(folder, fileName);
  return finish(made, await certifyKey(authority, made.publicKey, request));
}

/** An organisation's CA from a network's folder. */
export async function loadAuthority(root: string, entry: Network["organizations"][number]) {
  const path = resolve(root, entry.authorityCertificate);
  const certificate = parseCertificate(readTextOf(path));
  if (!certificate.ok) throw new CliError("CLI_FILE_MALFORMED", `${path}: ${certificate.code}`);
  const password = new TextDecoder().decode(readFileOf(join(root, entry.authorityPasswordFile)));
  const access = { password: password.trimEnd() };
  const signer = await withKeyFile(join(root, entry.authorityKey), access, async (privateKey) =>
    createSm2Signer(privateKey),
  );
  return { certificate: certificate.value, signer };
}
