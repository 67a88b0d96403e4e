import { resolve } from "node:path";
import {
  type Act,
  AuthorityFolder,
  currentActor,
  findNamed,
  issueAuthority,
  issueList,
  issueMember,
  REVOCATION_REASONS,
  readRequest,
  readSecret,
  renewCertificate,
  replaceFile,
  revokeCertificate,
  unlockAuthority,
} from "@credlink/ca";
import {
  type Certificate,
  certificateToPem,
  revocationListToPem,
  roleOf,
  type SigningRequest,
} from "@credlink/crypto";
import { invariant, type Signer } from "@credlink/primitives";
import { readFileOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import type { Streams } from "../output.ts";
import { PUBLIC_MODE } from "./create.ts";
import { type CustodyOptions, requireCustody } from "./custody.ts";
import { describeCertificate } from "./describe.ts";

/** What every command that certifies a key is given. */
export interface CertifyOptions extends CustodyOptions {
  readonly dir: string;
  readonly passwordFile: string;
  readonly csr: string;
  readonly out: string;
}

const MAX_LIST_DAYS = 365;

/** Reads, asks, issues, notes, and writes the certificate out. */
async function certify(
  options: CertifyOptions,
  streams: Streams,
  act: string,
  issue: (act: Act, signer: Signer, request: SigningRequest) => Promise<Certificate>,
) {
  const folder = new AuthorityFolder(resolve(options.dir));
  const request = readRequest(readFileOf(options.csr));
  const signer = await unlockAuthority(folder, await readSecret(options.passwordFile));
  const custody = await requireCustody(streams, options, request.subjectKey);
  const details = { name: request.subject.commonName, custody };
  const certificate = await folder.run({ act, actor: currentActor(), details }, (open) =>
    issue(open, signer, request),
  );
  await replaceFile(options.out, certificateToPem(certificate), PUBLIC_MODE);
  return { certificate: options.out, ...describeCertificate(certificate), custody };
}

/** `ca issue-org`. */
export function issueForOrganization(
  options: CertifyOptions & { readonly organization: string; readonly days: number },
  streams: Streams,
) {
  return certify(options, streams, "issue-org", (act, signer, request) =>
    issueAuthority(act, signer, request, options),
  );
}

/** `ca sign-csr`. */
export function signRequest(
  options: CertifyOptions & { readonly name: string; readonly role: string; readonly days: number },
  streams: Streams,
) {
  const role = roleOf(options.role);
  invariant(role !== undefined, "the command line takes known roles alone");
  const { name, days } = options;
  return certify(options, streams, "sign-csr", (act, signer, request) =>
    issueMember(act, signer, request, { name, role, days }),
  );
}

/** `ca renew`. */
export function renew(
  options: CertifyOptions & {
    readonly serial?: string;
    readonly name?: string;
    readonly days?: number;
    readonly revokeOld?: boolean;
  },
  streams: Streams,
  defaults: { readonly MEMBER_DAYS: number; readonly AUTHORITY_DAYS: number },
) {
  const { serial, name } = options;
  if (serial === undefined && name === undefined) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "--name or --serial is needed");
  }
  return certify(options, streams, "renew", async (act, signer, request) => {
    const { serialNumber } = findNamed(act, { serialNumber: serial, name }).certificate;
    const isRoot = act.description.kind === "root";
    const days = options.days ?? (isRoot ? defaults.AUTHORITY_DAYS : defaults.MEMBER_DAYS);
    const certificate = await renewCertificate(act, signer, request, { serialNumber, days });
    if (options.revokeOld === true) await revokeCertificate(act, serialNumber, "superseded");
    return certificate;
  });
}

/** `ca revoke`. */
export async function revoke(options: {
  readonly dir: string;
  readonly serial?: string;
  readonly name: string;
  readonly reason: string;
}) {
  const reason = REVOCATION_REASONS.find((known) => known === options.reason);
  if (reason === undefined) {
    throw new CliError(
      "CLI_OPTIONS_CONFLICT",
      `--reason is one of ${REVOCATION_REASONS.join(", ")}`,
    );
  }
  const { name, serial } = options;
  const folder = new AuthorityFolder(resolve(options.dir));
  const details = { name, serialNumber: serial ?? null, reason };
  return folder.run({ act: "revoke", actor: currentActor(), details }, async (act) => {
    const { certificate } = findNamed(act, { serialNumber: serial, name });
    await revokeCertificate(act, certificate.serialNumber, reason);
    return { ...describeCertificate(certificate), reason };
  });
}

/** `ca crl`. */
export async function publishList(options: {
  readonly dir: string;
  readonly passwordFile: string;
  readonly days: number;
  readonly out: string;
}) {
  if (options.days < 1 || options.days > MAX_LIST_DAYS) {
    throw new CliError("CLI_OPTIONS_CONFLICT", `--days is from 1 to ${MAX_LIST_DAYS}`);
  }
  const folder = new AuthorityFolder(resolve(options.dir));
  const signer = await unlockAuthority(folder, await readSecret(options.passwordFile));
  const list = await folder.run({ act: "crl", actor: currentActor() }, (act) =>
    issueList(act, signer, options.days),
  );
  await replaceFile(options.out, revocationListToPem(list), PUBLIC_MODE);
  return {
    list: options.out,
    number: list.number,
    thisUpdate: new Date(list.thisUpdateMs).toISOString(),
    nextUpdate: list.nextUpdateMs === undefined ? null : new Date(list.nextUpdateMs).toISOString(),
    revoked: list.revoked.size,
  };
}
