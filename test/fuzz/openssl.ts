import { X509Certificate } from "node:crypto";
import type { Certificate } from "@credlink/crypto";

/** OpenSSL's reading of a certificate; undefined when it refuses. */
export function readWithOpenssl(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

/** What OpenSSL reads otherwise than we do in a certificate that we accepted. */
export function compareWithOpenssl(ours: Certificate): string | undefined {
  const theirs = readWithOpenssl(ours.der);
  if (theirs === undefined) return "OpenSSL refuses what is accepted";
  if (BigInt(`0x${theirs.serialNumber}`) !== BigInt(`0x${ours.serialNumber}`)) {
    return `serial number ${theirs.serialNumber}`;
  }
  if (theirs.validFromDate.getTime() !== ours.notBeforeMs) return "not before";
  if (theirs.validToDate.getTime() !== ours.notAfterMs) return "not after";
  const mayIssue = ours.isCertificateAuthority && ours.keyUsage.has("keyCertSign");
  // The other way round is no finding: OpenSSL does without key usages where none are there.
  if (mayIssue && !theirs.ca) return "an authority here, and none for OpenSSL";
  return compareNames(ours, theirs);
}

function compareNames(ours: Certificate, theirs: X509Certificate): string | undefined {
  const subject = theirs.toLegacyObject().subject as Readonly<Record<string, unknown>> | undefined;
  for (const [attribute, text] of [
    ["CN", ours.subject.commonName],
    ["O", ours.subject.organization],
    ["OU", ours.subject.organizationalUnit],
  ] as const) {
    const read = subject?.[attribute];
    if ((read ?? "") !== text) return `${attribute}: ours "${text}", OpenSSL "${String(read)}"`;
  }
  return undefined;
}

/** Whether OpenSSL, too, takes `issuer` for the one that issued. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  const child = readWithOpenssl(certificate.der);
  const parent = readWithOpenssl(issuer.der);
  return child !== undefined && parent !== undefined && child.checkIssued(parent);
}
