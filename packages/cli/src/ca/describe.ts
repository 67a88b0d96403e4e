import type { Act, IssuedCertificate } from "@credlink/ca";
import {
  addressFromPublicKey,
  type Certificate,
  formatAddress,
  parseCertificate,
} from "@credlink/crypto";
import { type Genesis, genesisCodec } from "@credlink/ledger";
import { toHex, tryDecode } from "@credlink/primitives";
import { readFileOf } from "../connection.ts";
import { CliError } from "../errors.ts";

/** A certificate as commands print it. */
export function describeCertificate(certificate: Certificate) {
  const { subject, issuer } = certificate;
  return {
    serialNumber: certificate.serialNumber,
    commonName: subject.commonName,
    organization: subject.organization,
    role: subject.organizationalUnit,
    issuer: issuer.commonName,
    validFrom: new Date(certificate.notBeforeMs).toISOString(),
    validTo: new Date(certificate.notAfterMs).toISOString(),
    fingerprint: toHex(certificate.fingerprint),
    address: formatAddress(addressFromPublicKey(certificate.subjectKey)),
  };
}

/** A certificate that an authority issued, with what became of it. */
export function describeIssued(act: Act, issued: IssuedCertificate) {
  const { serialNumber } = issued.certificate;
  const revoked = act.state.revocationOf(serialNumber);
  return {
    ...describeCertificate(issued.certificate),
    status: act.state.statusOf(issued, act.nowMs),
    reason: revoked?.reason ?? null,
    replaces: issued.replaces,
    replacedBy: act.state.successorOf(serialNumber)?.certificate.serialNumber ?? null,
  };
}

/** Most bytes of a genesis file. */
const MAX_GENESIS_BYTES = 96 * 1024 * 1024;

/** Who authorises nodes and members of a chain, as its genesis names them. */
export function describeGenesis(path: string) {
  const decoded = tryDecode(genesisCodec, readFileOf(path), { maxBytes: MAX_GENESIS_BYTES });
  if (!decoded.ok) throw new CliError("CLI_FILE_MALFORMED", `${path}: ${decoded.code}`);
  const genesis: Genesis = decoded.value;
  const members = genesis.members.map(({ certificate }) => read(certificate));
  return {
    chainId: genesis.chainId,
    roots: genesis.roots.map((der) => describeCertificate(read(der))),
    authorities: genesis.organizations.map(({ authorityCertificate }) =>
      describeCertificate(read(authorityCertificate)),
    ),
    admins: members
      .filter(({ subject }) => subject.organizationalUnit === "admin")
      .map(describeCertificate),
  };
}

function read(der: Uint8Array): Certificate {
  const parsed = parseCertificate(der);
  if (!parsed.ok) throw new CliError("CLI_FILE_MALFORMED", parsed.code);
  return parsed.value;
}

/** One line a certificate. */
export function renderIssued(value: ReturnType<typeof describeIssued>): string {
  const { serialNumber, status, commonName, organization, role, validTo } = value;
  return [serialNumber, status, commonName, organization, role, `until ${validTo}`].join("  ");
}
