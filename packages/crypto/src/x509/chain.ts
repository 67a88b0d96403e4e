import { accept, equalBytes, type Result, refuse } from "@credlink/primitives";
import type { Platform } from "../platform.ts";
import type { Certificate } from "./certificate.ts";
import type { RevocationList } from "./revocation-list.ts";
import { type Role, roleOf } from "./roles.ts";
import type { SignedParts } from "./signed.ts";
import { isValidTooLong } from "./validity.ts";

/** Codes with which a chain is refused. */
export type ChainRefusal =
  | "CRYPTO_CERTIFICATE_UNKNOWN_ROOT"
  | "CRYPTO_CERTIFICATE_BAD_SIGNATURE"
  | "CRYPTO_CERTIFICATE_EXPIRED"
  | "CRYPTO_CERTIFICATE_NOT_YET_VALID"
  | "CRYPTO_CERTIFICATE_REVOKED"
  | "CRYPTO_CERTIFICATE_ROLE_MISSING"
  | "CRYPTO_CERTIFICATE_ROLE_WRONG"
  | "CRYPTO_CERTIFICATE_KEY_USAGE"
  | "CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG"
  | "CRYPTO_CERTIFICATE_NOT_AUTHORITY"
  | "CRYPTO_CERTIFICATE_PATH_TOO_LONG"
  | "CRYPTO_CERTIFICATE_ORGANIZATION"
  | "CRYPTO_REVOCATION_LIST_BAD_SIGNATURE"
  | "CRYPTO_REVOCATION_LIST_STALE"
  | "CRYPTO_REVOCATION_LIST_MISSING";

/** What a chain is judged against. */
export interface ChainContext {
  /** CAs that the peer sent or that are registered; nothing is believed of them. */
  readonly intermediates: readonly Certificate[];
  /** The consortium's roots. */
  readonly roots: readonly Certificate[];
  /** Of each issuer the newest list counts. */
  readonly revocationLists: readonly RevocationList[];
  /** Whether every issuer must have a list; default false. */
  readonly requireRevocationLists?: boolean;
  /** The moment asked about: a clock's for a connection, a block's for a transaction. */
  readonly atMs: number;
}

/** A member's certificate to be judged. */
export interface ChainInput extends ChainContext {
  readonly leaf: Certificate;
  /** Refuses every role but these; default: any role of the network. */
  readonly role?: Role | readonly Role[];
}

/** What a good chain establishes. */
export interface VerifiedChain {
  readonly organization: string;
  readonly role: Role;
  /** Leaf first, root last. */
  readonly chain: readonly Certificate[];
}

type Verdict = Result<undefined, ChainRefusal>;
type Path = readonly Certificate[];
type Verify = Platform["sm2Verify"];

const GOOD: Verdict = accept(undefined);
/** Certificates in a chain, leaf and root included. */
const MAX_CHAIN = 8;
/** Signatures tried while looking for a path: a peer chooses the intermediates it sends. */
const MAX_ATTEMPTS = 32;

/** Whether `issuerKey` (65 bytes) signed a certificate, request or list. */
export function verifySignatureOf(
  verify: Verify,
  signed: SignedParts,
  issuerKey: Uint8Array,
): boolean {
  return verify(issuerKey, signed.signedBytes, signed.signature);
}

interface Issued {
  readonly issuerDer: Uint8Array;
  readonly authorityKeyIdentifier: string | undefined;
}

function doKeysAgree(issuer: Certificate, issued: Issued): boolean {
  const named = issued.authorityKeyIdentifier;
  const own = issuer.subjectKeyIdentifier;
  return named === undefined || own === undefined || named === own;
}

/** Whether names and key identifiers let `issuer` be the one that issued. */
function mayHaveIssued(issuer: Certificate, issued: Issued): boolean {
  return doKeysAgree(issuer, issued) && equalBytes(issuer.subjectDer, issued.issuerDer);
}

/**
 * Whether a list is to be judged as the issuer's. The key identifier only helps to find a key: a
 * list that names another one and is signed by this one all the same must not be passed over.
 */
function isListOf(verify: Verify, issuer: Certificate, list: RevocationList): boolean {
  if (!equalBytes(issuer.subjectDer, list.issuerDer)) return false;
  return doKeysAgree(issuer, list) || verifySignatureOf(verify, list, issuer.subjectKey);
}

function isSame(a: Certificate, b: Certificate): boolean {
  return equalBytes(a.der, b.der);
}

/** Finds the path from `leaf` to a root, depth first, within a bounded number of signatures. */
function findPath(
  verify: Verify,
  leaf: Certificate,
  context: ChainContext,
): Result<Path, ChainRefusal> {
  let attempts = 0;
  let sawBadSignature = false;
  const climb = (path: Path): Path | undefined => {
    const last = path.at(-1);
    if (last === undefined) return undefined;
    if (context.roots.some((root) => isSame(root, last))) return path;
    if (path.length >= MAX_CHAIN) return undefined;
    for (const issuer of [...context.roots, ...context.intermediates]) {
      if (!mayHaveIssued(issuer, last) || path.some((passed) => isSame(passed, issuer))) continue;
      if (attempts++ >= MAX_ATTEMPTS) return undefined;
      if (!verifySignatureOf(verify, last, issuer.subjectKey)) {
        sawBadSignature = true;
        continue;
      }
      const found = climb([...path, issuer]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const path = climb([leaf]);
  if (path !== undefined) return accept(path);
  return refuse(
    sawBadSignature ? "CRYPTO_CERTIFICATE_BAD_SIGNATURE" : "CRYPTO_CERTIFICATE_UNKNOWN_ROOT",
  );
}

function checkTimes(path: Path, atMs: number): Verdict {
  for (const certificate of path) {
    if (atMs < certificate.notBeforeMs) return refuse("CRYPTO_CERTIFICATE_NOT_YET_VALID");
    // The last second counts as a whole.
    if (atMs >= certificate.notAfterMs + 1000) return refuse("CRYPTO_CERTIFICATE_EXPIRED");
  }
  return GOOD;
}

/** RFC 5280 §6.1.4 (k) to (n): who issues must be allowed to, and so deep. */
function checkAuthorities(path: Path): Verdict {
  for (const [index, authority] of path.entries()) {
    if (index === 0) continue;
    if (!authority.isCertificateAuthority || !authority.keyUsage.has("keyCertSign")) {
      return refuse("CRYPTO_CERTIFICATE_NOT_AUTHORITY", authority.subject.commonName);
    }
    // Stricter than the RFC: CAs that a CA issued under its own name count like any other, else
    // a CA that allows none below it could add them all the same.
    const below = index - 1;
    if (authority.pathLength !== undefined && below > authority.pathLength) {
      return refuse("CRYPTO_CERTIFICATE_PATH_TOO_LONG", authority.subject.commonName);
    }
  }
  return GOOD;
}

/**
 * A root may name any organisation; a CA below it only its own. Else one organisation's CA could
 * make members of another.
 */
function checkOrganizations(path: Path): Verdict {
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1];
    const isUnderRoot = index + 2 >= path.length;
    if (issuer === undefined || isUnderRoot) continue;
    if (certificate.subject.organization !== issuer.subject.organization) {
      return refuse("CRYPTO_CERTIFICATE_ORGANIZATION", certificate.subject.organization);
    }
  }
  return GOOD;
}

function newest(lists: readonly RevocationList[]): RevocationList | undefined {
  return lists.reduce<RevocationList | undefined>((best, list) => {
    if (best === undefined || list.thisUpdateMs > best.thisUpdateMs) return list;
    const isSameTime = list.thisUpdateMs === best.thisUpdateMs;
    return isSameTime && (list.number ?? -1) > (best.number ?? -1) ? list : best;
  }, undefined);
}

/**
 * Judges one certificate against its issuer's newest list. An entry counts from the moment the
 * list is known, whatever its date: a clock that runs behind must not let a revoked key in.
 */
function checkRevocation(
  verify: Verify,
  certificate: Certificate,
  issuer: Certificate,
  context: ChainContext,
): Verdict {
  const lists = context.revocationLists.filter((list) => isListOf(verify, issuer, list));
  for (const list of lists) {
    if (!issuer.keyUsage.has("cRLSign") || !verifySignatureOf(verify, list, issuer.subjectKey)) {
      return refuse("CRYPTO_REVOCATION_LIST_BAD_SIGNATURE", issuer.subject.commonName);
    }
  }
  const list = newest(lists);
  if (list === undefined) {
    return context.requireRevocationLists === true
      ? refuse("CRYPTO_REVOCATION_LIST_MISSING", issuer.subject.commonName)
      : GOOD;
  }
  const entry = list.revoked.get(certificate.serialNumber);
  if (entry !== undefined && entry.reason !== "removeFromCrl") {
    return refuse("CRYPTO_CERTIFICATE_REVOKED", entry.reason);
  }
  const isStale = list.nextUpdateMs !== undefined && context.atMs > list.nextUpdateMs;
  return isStale ? refuse("CRYPTO_REVOCATION_LIST_STALE", issuer.subject.commonName) : GOOD;
}

function checkRevocations(verify: Verify, path: Path, context: ChainContext): Verdict {
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1];
    if (issuer === undefined) break;
    const verdict = checkRevocation(verify, certificate, issuer, context);
    if (!verdict.ok) return verdict;
  }
  return GOOD;
}

function verifyPath(
  verify: Verify,
  leaf: Certificate,
  context: ChainContext,
  ofOrganizations: (path: Path) => Verdict = checkOrganizations,
): Result<Path, ChainRefusal> {
  const path = findPath(verify, leaf, context);
  if (!path.ok) return path;
  const checks = [
    () => checkTimes(path.value, context.atMs),
    () => checkAuthorities(path.value),
    () => ofOrganizations(path.value),
    () => checkRevocations(verify, path.value, context),
  ];
  for (const check of checks) {
    const verdict = check();
    if (!verdict.ok) return verdict;
  }
  return path;
}

function judgeRole(leaf: Certificate, wanted: ChainInput["role"]): Result<Role, ChainRefusal> {
  const role = roleOf(leaf.subject.organizationalUnit);
  if (role === undefined) return refuse("CRYPTO_CERTIFICATE_ROLE_MISSING");
  const allowed = typeof wanted === "string" ? [wanted] : wanted;
  if (allowed !== undefined && !allowed.includes(role)) {
    return refuse("CRYPTO_CERTIFICATE_ROLE_WRONG", role);
  }
  return accept(role);
}

/** A certificate for signatures, no CA's, and valid for no longer than one may be. */
function checkSigner(leaf: Certificate): Verdict {
  if (leaf.isCertificateAuthority || !leaf.keyUsage.has("digitalSignature")) {
    return refuse("CRYPTO_CERTIFICATE_KEY_USAGE");
  }
  if (isValidTooLong(leaf)) {
    return refuse("CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG", leaf.subject.commonName);
  }
  return GOOD;
}

/**
 * Judges a certificate of an authority outside the consortium in the same way, but that it names no
 * role of ours, and whatever organisation its CA certified.
 */
export function verifyExternalChain(
  verify: Verify,
  input: ChainContext & { readonly leaf: Certificate },
): Result<Omit<VerifiedChain, "role">, ChainRefusal> {
  const { leaf } = input;
  const path = verifyPath(verify, leaf, input, () => GOOD);
  if (!path.ok) return path;
  const verdict = checkSigner(leaf);
  if (!verdict.ok) return verdict;
  return accept({ organization: leaf.subject.organization, chain: path.value });
}

/**
 * Judges a member's certificate: path to a root, signatures, times, CA rights, organisations,
 * revocation, key usage, length of validity and role, in this order.
 */
export function verifyCertificateChain(
  verify: Verify,
  input: ChainInput,
): Result<VerifiedChain, ChainRefusal> {
  const { leaf } = input;
  const path = verifyPath(verify, leaf, input);
  if (!path.ok) return path;
  const verdict = checkSigner(leaf);
  if (!verdict.ok) return verdict;
  const role = judgeRole(leaf, input.role);
  if (!role.ok) return role;
  return accept({ organization: leaf.subject.organization, role: role.value, chain: path.value });
}

/** Judges an organisation's CA in the same way: it must be a CA, and has no role. */
export function verifyAuthorityChain(
  verify: Verify,
  input: ChainContext & { readonly authority: Certificate },
): Result<Omit<VerifiedChain, "role">, ChainRefusal> {
  const { authority } = input;
  const path = verifyPath(verify, authority, input);
  if (!path.ok) return path;
  if (!authority.isCertificateAuthority || !authority.keyUsage.has("keyCertSign")) {
    return refuse("CRYPTO_CERTIFICATE_NOT_AUTHORITY", authority.subject.commonName);
  }
  return accept({ organization: authority.subject.organization, chain: path.value });
}
