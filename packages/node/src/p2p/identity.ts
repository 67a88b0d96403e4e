import {
  type Certificate,
  type ChainRefusal,
  parseCertificate,
  type RevocationList,
  verifyCertificateChain,
} from "@credlink/crypto";
import { type Member, memberKeyAt } from "@credlink/ledger";
import {
  accept,
  type Clock,
  equalBytes,
  type PeerId,
  type Refusal,
  type Result,
  refuse,
} from "@credlink/primitives";
import type { AdmissionErrorCode } from "./errors.ts";

/** Roles that a peer's certificate may name. */
export const NODE_ROLES = ["validator", "observer", "regulator-node"] as const;
export type NodeRole = (typeof NODE_ROLES)[number];

/** Who a peer proved to be. */
export interface PeerIdentity {
  readonly peerId: PeerId;
  /** Common name of the certificate. */
  readonly nodeId: string;
  readonly organization: string;
  readonly role: NodeRole;
  readonly publicKey: Uint8Array;
  /** As they came, so that they can be judged again at any later moment. */
  readonly certificates: readonly Certificate[];
  /** First moment at which a certificate on the path to the root has ended, milliseconds. */
  readonly validToMs: number;
}

/** What the committed state of this node says about members and validators. */
export interface RegistryView {
  /** Whose key it is, or once was. */
  memberOfKey(publicKey: Uint8Array): Member | null;
  /** The peer id under which the chain knows a validator's key; null when it is no validator. */
  validatorPeerId(publicKey: Uint8Array): PeerId | null;
  /** The keys of the validators that the chain knows under a peer id; empty when there is none. */
  validatorKeys(peerId: PeerId): readonly Uint8Array[];
  /** Whether our head is known not to be behind: an unknown member is then a stranger. */
  isHeadProven(): boolean;
  headHeight(): number;
  /** Timestamp of the head, milliseconds. */
  headTimestampMs(): number;
}

/** What every certificate is judged against. */
export interface TrustAnchors {
  readonly roots: readonly Certificate[];
  /** Organisation CAs that genesis names. */
  readonly authorities: readonly Certificate[];
  /** Lists of the configured files, the current ones at every call. */
  readonly revocationLists: () => readonly RevocationList[];
}

export type Standing = "full" | "provisional";

/** Judges peers; the same judge serves the handshake and every later commit. */
export interface IdentityJudge {
  /** Chain, times, revocation lists, key usage and role. */
  judgeCertificates(
    peerId: PeerId,
    certificates: readonly Uint8Array[],
  ): Result<PeerIdentity, AdmissionErrorCode>;
  /** Registry of the committed state, and the peer id and key that the chain knows. */
  judgeStanding(identity: PeerIdentity): Result<Standing, AdmissionErrorCode>;
  /** Both, for a peer that is connected already. */
  judgeAgain(identity: PeerIdentity): Result<Standing, AdmissionErrorCode>;
}

const chainCodes: Readonly<Record<ChainRefusal, AdmissionErrorCode>> = {
  CRYPTO_CERTIFICATE_UNKNOWN_ROOT: "NODE_ADMISSION_UNKNOWN_ROOT",
  CRYPTO_CERTIFICATE_BAD_SIGNATURE: "NODE_ADMISSION_CERTIFICATE_INVALID",
  CRYPTO_CERTIFICATE_EXPIRED: "NODE_ADMISSION_EXPIRED",
  CRYPTO_CERTIFICATE_NOT_YET_VALID: "NODE_ADMISSION_NOT_YET_VALID",
  CRYPTO_CERTIFICATE_REVOKED: "NODE_ADMISSION_REVOKED",
  CRYPTO_CERTIFICATE_ROLE_MISSING: "NODE_ADMISSION_ROLE_MISSING",
  CRYPTO_CERTIFICATE_ROLE_WRONG: "NODE_ADMISSION_ROLE_REFUSED",
  CRYPTO_CERTIFICATE_KEY_USAGE: "NODE_ADMISSION_KEY_USAGE",
  CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG: "NODE_ADMISSION_VALIDITY_TOO_LONG",
  CRYPTO_CERTIFICATE_NOT_AUTHORITY: "NODE_ADMISSION_KEY_USAGE",
  CRYPTO_CERTIFICATE_PATH_TOO_LONG: "NODE_ADMISSION_KEY_USAGE",
  CRYPTO_CERTIFICATE_ORGANIZATION: "NODE_ADMISSION_CERTIFICATE_INVALID",
  CRYPTO_REVOCATION_LIST_BAD_SIGNATURE: "NODE_ADMISSION_REVOCATION_LIST_STALE",
  CRYPTO_REVOCATION_LIST_STALE: "NODE_ADMISSION_REVOCATION_LIST_STALE",
  CRYPTO_REVOCATION_LIST_MISSING: "NODE_ADMISSION_REVOCATION_LIST_STALE",
};

function nodeRoleOf(role: string): NodeRole | undefined {
  return NODE_ROLES.find((known) => known === role);
}

function parseAll(
  certificates: readonly Uint8Array[],
): Result<readonly Certificate[], AdmissionErrorCode> {
  const parsed: Certificate[] = [];
  for (const der of certificates) {
    const certificate = parseCertificate(der);
    if (!certificate.ok) return refuse("NODE_ADMISSION_CERTIFICATE_INVALID", certificate.code);
    parsed.push(certificate.value);
  }
  return accept(parsed);
}

function judgeChain(
  peerId: PeerId,
  certificates: readonly Certificate[],
  anchors: TrustAnchors,
  atMs: number,
): Result<PeerIdentity, AdmissionErrorCode> {
  const [leaf, ...sent] = certificates;
  if (leaf === undefined) return refuse("NODE_ADMISSION_MALFORMED", "no certificate");
  const chain = verifyCertificateChain({
    leaf,
    intermediates: [...anchors.authorities, ...sent],
    roots: anchors.roots,
    revocationLists: anchors.revocationLists(),
    atMs,
  });
  if (!chain.ok) return describe(chainCodes[chain.code], chain);
  const role = nodeRoleOf(chain.value.role);
  if (role === undefined) return refuse("NODE_ADMISSION_ROLE_REFUSED", chain.value.role);
  return accept({
    peerId,
    nodeId: leaf.subject.commonName,
    organization: chain.value.organization,
    role,
    publicKey: leaf.subjectKey,
    certificates,
    validToMs: Math.min(...chain.value.chain.map((each) => each.notAfterMs + 1_000)),
  });
}

function describe(code: AdmissionErrorCode, refusal: Refusal): Refusal<AdmissionErrorCode> {
  return { ok: false, code, detail: [refusal.code, refusal.detail].filter(Boolean).join(" ") };
}

function judgeStanding(
  identity: PeerIdentity,
  registry: RegistryView,
): Result<Standing, AdmissionErrorCode> {
  const known = registry.validatorPeerId(identity.publicKey);
  if (known !== null && known !== identity.peerId) {
    return refuse("NODE_ADMISSION_WRONG_PEER", "the chain knows this key under another peer id");
  }
  const member = registry.memberOfKey(identity.publicKey);
  if (member?.status === "revoked") return refuse("NODE_ADMISSION_REVOKED", "revoked on chain");
  // A validator votes with the key before for one more height, and needs its peers for that.
  if (member !== null && known === null && isReplaced(identity.publicKey, member, registry)) {
    return refuse("NODE_ADMISSION_NOT_REGISTERED", "the member has another key by now");
  }
  const isActive =
    member !== null &&
    member.status === "active" &&
    member.role === identity.role &&
    member.organization === identity.organization &&
    registry.headTimestampMs() < member.validToMs;
  if (isActive) return accept("full");
  if (!registry.isHeadProven()) return accept("provisional");
  return refuse("NODE_ADMISSION_NOT_REGISTERED", member?.status ?? "no such member");
}

function isReplaced(publicKey: Uint8Array, member: Member, registry: RegistryView): boolean {
  const present = memberKeyAt(member, registry.headHeight() + 1);
  return present !== null && !equalBytes(present, publicKey);
}

/**
 * A validator's peer id comes with its key alone: whoever stole the peer key is not it. Asked at
 * the handshake only, so that a validator that changes its key keeps its connections meanwhile.
 */
function isOtherThanValidator(
  { peerId, publicKey }: PeerIdentity,
  registry: RegistryView,
): boolean {
  const keys = registry.validatorKeys(peerId);
  return keys.length > 0 && !keys.some((key) => equalBytes(key, publicKey));
}

/**
 * Judges peers against genesis, revocation list files and the registry of the committed state.
 * A member that our state does not know yet is provisional while our own head is unproven.
 */
export function createIdentityJudge(options: {
  readonly anchors: TrustAnchors;
  readonly registry: RegistryView;
  readonly clock: Clock;
}): IdentityJudge {
  const { anchors, registry, clock } = options;
  // Signatures do not change: a chain is walked again only for new lists or when one ended.
  const judgedWith = new WeakMap<PeerIdentity, readonly RevocationList[]>();
  const judge = (
    peerId: PeerId,
    certificates: readonly Certificate[],
  ): Result<PeerIdentity, AdmissionErrorCode> => {
    const verdict = judgeChain(peerId, certificates, anchors, clock.nowMs());
    if (verdict.ok) judgedWith.set(verdict.value, anchors.revocationLists());
    return verdict;
  };
  return {
    judgeCertificates(peerId, certificates) {
      const parsed = parseAll(certificates);
      return parsed.ok ? judge(peerId, parsed.value) : parsed;
    },
    judgeStanding: (identity) =>
      isOtherThanValidator(identity, registry)
        ? refuse("NODE_ADMISSION_WRONG_PEER", "the chain knows this peer id with another key")
        : judgeStanding(identity, registry),
    judgeAgain(identity) {
      const lists = anchors.revocationLists();
      const hasSameLists = judgedWith.get(identity) === lists;
      const isStale = lists.some(({ nextUpdateMs }) => clock.nowMs() > (nextUpdateMs ?? Infinity));
      if (hasSameLists && !isStale && clock.nowMs() < identity.validToMs) {
        return judgeStanding(identity, registry);
      }
      const chain = judge(identity.peerId, identity.certificates);
      if (chain.ok) judgedWith.set(identity, lists);
      return chain.ok ? judgeStanding(identity, registry) : chain;
    },
  };
}
