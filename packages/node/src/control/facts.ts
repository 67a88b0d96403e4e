import { arch, availableParallelism, hostname, release, totalmem, type } from "node:os";
import type { MethodResult } from "@credlink/api";
import { quorum } from "@credlink/consensus-pbft";
import { type Certificate, formatAddress } from "@credlink/crypto";
import type { Ledger } from "@credlink/ledger";
import { equalBytes, height, type PeerId, toHex } from "@credlink/primitives";
import { ownAddress } from "../engine/own-transactions.ts";
import { protocolAccess } from "../p2p/access.ts";
import { VERSION } from "../version.ts";

/** The part of a ledger that facts are read from. */
export type FactsLedger = Pick<
  Ledger,
  "head" | "stateAt" | "validatorsAt" | "chainId" | "genesisDigest"
>;

function showName(name: Certificate["subject"]): string {
  const { organization, organizationalUnit, commonName } = name;
  return `O=${organization}, OU=${organizationalUnit}, CN=${commonName}`;
}

/** `node.info`: what a node is, by its certificate, its machine and its chain. */
export function describeNode(parts: {
  readonly certificate: Certificate;
  readonly ledger: FactsLedger;
  readonly self: PeerId;
  readonly addresses: MethodResult<"node.info">["addresses"];
  readonly startedAtMs: number;
}): MethodResult<"node.info"> {
  const { certificate, ledger, self, addresses, startedAtMs } = parts;
  const { subject, issuer, serialNumber, notBeforeMs, notAfterMs, subjectKey } = certificate;
  const next = ledger.validatorsAt(height(ledger.head.header.height + 1));
  return {
    nodeId: subject.commonName,
    peerId: self,
    address: formatAddress(ownAddress(ledger, { publicKey: subjectKey })),
    organization: subject.organization,
    role: subject.organizationalUnit,
    validating: next?.validators.some((each) => equalBytes(each.publicKey, subjectKey)) ?? false,
    chainId: ledger.chainId,
    genesisDigest: toHex(ledger.genesisDigest),
    software: {
      credlink: VERSION,
      node: process.versions.node,
      openssl: process.versions.openssl,
    },
    machine: {
      host: hostname(),
      system: `${type()} ${release()}`,
      architecture: arch(),
      processors: availableParallelism(),
      memoryBytes: totalmem(),
    },
    addresses,
    certificate: {
      serial: serialNumber,
      subject: showName(subject),
      issuer: showName(issuer),
      notBeforeMs,
      notAfterMs,
    },
    protocols: Object.keys(protocolAccess),
    startedAtMs,
  };
}

/** How many of the next height's validators a node reaches, and whether that decides blocks. */
export function describeReach(
  ledger: Pick<FactsLedger, "head" | "validatorsAt">,
  self: PeerId,
  connected: ReadonlySet<PeerId>,
): MethodResult<"node.peers">["validators"] {
  const next = ledger.validatorsAt(height(ledger.head.header.height + 1))?.validators ?? [];
  const missing = next.filter(({ peerId }) => peerId !== self && !connected.has(peerId));
  const reachable = next.length - missing.length;
  return {
    total: next.length,
    quorum: quorum(next.length),
    reachable,
    missing: missing.map(({ nodeId }) => nodeId),
    partitioned: reachable < quorum(next.length),
  };
}
