import { resolve } from "node:path";
import {
  AuthorityFolder,
  acceptCertificate,
  adoptAuthority,
  authorityPaths,
  CaError,
  createMemberRequest,
  createOrganizationAuthority,
  createRootAuthority,
  readCertificateOf,
  readOrMakePassword,
  readRequest,
  readSecret,
  replaceFile,
} from "@credlink/ca";
import { loadKeyFile, signingRequestToPem } from "@credlink/crypto";
import { systemClock } from "@credlink/node/service";
import { toHex } from "@credlink/primitives";
import { readFileOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import type { Streams } from "../output.ts";
import { askForCustody, type CustodyOptions } from "./custody.ts";
import { describeCertificate } from "./describe.ts";

/** Certificates, requests and lists are for everybody to read. */
export const PUBLIC_MODE = 0o644;

/** `ca init`. */
export async function initAuthority(
  options: CustodyOptions & {
    readonly dir: string;
    readonly root?: string;
    readonly organization?: string;
    readonly passwordFile: string;
    readonly days: number;
  },
  streams: Streams,
) {
  const { root, organization } = options;
  const dir = resolve(options.dir);
  if ((root === undefined) === (organization === undefined)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "either --root or --organization is needed");
  }
  await askForCustody(streams, options);
  const { password, isNew } = await readOrMakePassword(options.passwordFile);
  const paths = authorityPaths(dir);
  const made = { dir, key: paths.key, passwordFile: options.passwordFile, passwordMade: isNew };
  if (root !== undefined) {
    const { days } = options;
    const input = { dir, organization: root, password, clock: systemClock, days };
    const certificate = await createRootAuthority(input);
    return { ...made, certificate: paths.certificate, ...describeCertificate(certificate) };
  }
  const input = { dir, organization: organization ?? "", password, clock: systemClock };
  const request = await createOrganizationAuthority(input);
  return { ...made, request: paths.request, publicKey: toHex(request.subjectKey) };
}

/** `ca accept`. */
export async function acceptAuthority(options: {
  readonly dir: string;
  readonly certificate: string;
  readonly root: string;
  readonly fingerprint?: string;
}) {
  const certificate = readCertificateOf(readFileOf(options.certificate));
  const root = readCertificateOf(readFileOf(options.root));
  const fingerprint = toHex(root.fingerprint);
  const expected = options.fingerprint?.replaceAll(":", "").toLowerCase();
  if (expected !== undefined && expected !== fingerprint) {
    throw new CaError("CA_CERTIFICATE_REFUSED", `the root's fingerprint is ${fingerprint}`);
  }
  const folder = new AuthorityFolder(resolve(options.dir));
  const { subjectKey } = readRequest(readFileOf(folder.paths.request));
  await acceptCertificate(folder, { certificate, root, publicKey: subjectKey });
  return { ...describeCertificate(certificate), rootFingerprint: fingerprint };
}

/** `ca adopt`. */
export async function adopt(
  options: CustodyOptions & {
    readonly dir: string;
    readonly key: string;
    readonly keyPasswordFile: string;
    readonly passwordFile: string;
    readonly certificate: string;
    readonly root: string;
    readonly issued?: readonly string[];
  },
  streams: Streams,
) {
  const dir = resolve(options.dir);
  const certificate = readCertificateOf(readFileOf(options.certificate));
  const root = readCertificateOf(readFileOf(options.root));
  const issued = (options.issued ?? []).map((path) => readCertificateOf(readFileOf(path)));
  const keyPassword = await readSecret(options.keyPasswordFile);
  await askForCustody(streams, options);
  const privateKey = await loadKeyFile(options.key, { password: keyPassword });
  const { organization } = certificate.subject;
  try {
    const { password, isNew } = await readOrMakePassword(options.passwordFile);
    const clock = systemClock;
    const parts = { dir, organization, password, clock, privateKey, certificate, root, issued };
    await adoptAuthority(parts);
    const made = { dir, passwordFile: options.passwordFile, passwordMade: isNew };
    return { ...made, certificates: issued.length, ...describeCertificate(certificate) };
  } finally {
    privateKey.fill(0);
  }
}

/** `ca request`. */
export async function makeRequest(
  options: CustodyOptions & {
    readonly name: string;
    readonly organization: string;
    readonly role: string;
    readonly key: string;
    readonly passwordFile: string;
    readonly out: string;
    readonly presentKey?: boolean;
  },
  streams: Streams,
) {
  await askForCustody(streams, options);
  const { password, isNew } = await readOrMakePassword(options.passwordFile);
  const { request, acknowledgement } = await createMemberRequest({
    keyFile: options.key,
    password,
    isPresentKey: options.presentKey ?? false,
    subject: {
      commonName: options.name,
      organization: options.organization,
      organizationalUnit: options.role,
    },
    nowMs: systemClock.nowMs(),
  });
  const acknowledgementFile = `${options.out}.ack`;
  const text = `${JSON.stringify(acknowledgement, null, 2)}\n`;
  await replaceFile(options.out, signingRequestToPem(request), PUBLIC_MODE);
  await replaceFile(acknowledgementFile, text, PUBLIC_MODE);
  return {
    key: options.key,
    passwordFile: options.passwordFile,
    passwordMade: isNew,
    request: options.out,
    acknowledgement: acknowledgementFile,
    publicKey: toHex(request.subjectKey),
  };
}
