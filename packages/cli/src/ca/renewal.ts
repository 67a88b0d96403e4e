import { existsSync } from "node:fs";
import {
  CaError,
  CUSTODY_NOTICE,
  createMemberRequest,
  readCertificateOf,
  readSecret,
  replaceFile,
} from "@credlink/ca";
import { requestRenewal } from "@credlink/client";
import {
  type Certificate,
  certificateToPem,
  createSigningRequest,
  createSm2Signer,
  type SigningRequest,
  verifySignatureOf,
} from "@credlink/crypto";
import { withKeyFile } from "@credlink/keys";
import { systemClock } from "@credlink/node/service";
import { equalBytes, type Signer } from "@credlink/primitives";
import { readFileOf } from "../connection.ts";
import type { Streams } from "../output.ts";
import { PUBLIC_MODE } from "./create.ts";
import { askForCustody, type CustodyOptions } from "./custody.ts";
import { describeCertificate } from "./describe.ts";

/** Options of `ca request-renewal`. */
export interface OnlineRenewalOptions extends CustodyOptions {
  readonly url: string;
  readonly certificate: string;
  readonly key: string;
  readonly passwordFile: string;
  readonly authority: string;
  readonly codeFile: string;
  readonly newKey: string;
  readonly out: string;
}

/**
 * The fresh key's request. A key file that is there is of an earlier attempt, whose answer was
 * lost: the service answers the same request with what it issued then.
 */
async function requestFor(
  options: OnlineRenewalOptions,
  subject: Certificate["subject"],
  password: string,
): Promise<SigningRequest> {
  if (existsSync(options.newKey)) {
    const signer = await signerOf(options.newKey, password);
    return createSigningRequest({ subject, signer });
  }
  const nowMs = systemClock.nowMs();
  const made = await createMemberRequest({ keyFile: options.newKey, password, subject, nowMs });
  return made.request;
}

/** A key that lies in a key store is judged by that store's log. */
function signerOf(path: string, password: string): Promise<Signer> {
  return withKeyFile(path, { password }, async (privateKey) => createSm2Signer(privateKey));
}

/** Whether the CA issued it, for the same holder. */
function isOf(renewed: Certificate, old: Certificate, authority: Certificate): boolean {
  const { subject } = renewed;
  return (
    equalBytes(renewed.issuerDer, authority.subjectDer) &&
    verifySignatureOf(renewed, authority.subjectKey) &&
    subject.commonName === old.subject.commonName &&
    subject.organization === old.subject.organization &&
    subject.organizationalUnit === old.subject.organizationalUnit
  );
}

/**
 * At the holder's side: renews at the organisation's CA service. The new key's file is made first, under
 * the old one's password; the certificate is judged before it is written.
 * @throws CaError CA_CUSTODY_UNACKNOWLEDGED, CA_SECRET_…, CA_CERTIFICATE_REFUSED; ClientError;
 *   GatewayError with the service's code
 */
export async function renewOnline(options: OnlineRenewalOptions, streams: Streams) {
  const certificate = readCertificateOf(readFileOf(options.certificate));
  const authority = readCertificateOf(readFileOf(options.authority));
  const code = await readSecret(options.codeFile);
  const password = await readSecret(options.passwordFile);
  const signer = await signerOf(options.key, password);
  if (!equalBytes(signer.publicKey, certificate.subjectKey)) {
    throw new CaError("CA_CERTIFICATE_REFUSED", `${options.certificate} is not of the key`);
  }
  await askForCustody(streams, options);
  const request = await requestFor(options, certificate.subject, password);
  const { url } = options;
  const custodyNotice = CUSTODY_NOTICE;
  const renewed = await requestRenewal({ url, certificate, signer, request, code, custodyNotice });
  if (!isOf(renewed, certificate, authority))
    throw new CaError("CA_CERTIFICATE_REFUSED", "not what the CA may answer");
  await replaceFile(options.out, certificateToPem(renewed), PUBLIC_MODE);
  return { certificate: options.out, key: options.newKey, ...describeCertificate(renewed) };
}
