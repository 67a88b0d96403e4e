import {
  type Certificate,
  parseCertificate,
  parseRevocationList,
  type RevocationList,
  ROLES,
  verifyCertificateChain,
  verifySignatureOf,
} from "@credlink/crypto";
import { equalBytes } from "@credlink/primitives";
import { isIssuedBy } from "../openssl.ts";
import { createMutator } from "../signed-samples.ts";
import { ACCEPTED, type Outcome, refused, type Target } from "../target.ts";
import { NOW_MS, type World } from "../world.ts";
import { cryptoCodes } from "./documents.ts";

interface Parsed {
  readonly certificates: readonly Certificate[];
  readonly lists: readonly RevocationList[];
}

/** Reads what can be read; the first part says how many of the others are certificates. */
function parseParts([count, ...parts]: readonly Uint8Array[]): Parsed {
  const certificates: Certificate[] = [];
  const lists: RevocationList[] = [];
  for (const [index, bytes] of parts.entries()) {
    const isCertificate = index < (count?.[0] ?? 0);
    const certificate = isCertificate ? parseCertificate(bytes) : undefined;
    if (certificate?.ok) certificates.push(certificate.value);
    const list = isCertificate ? undefined : parseRevocationList(bytes);
    if (list?.ok) lists.push(list.value);
  }
  return { certificates, lists };
}

/** What must hold of every chain that is accepted, said once more and otherwise. */
function checkChain(chain: readonly Certificate[], root: Certificate, lists: Parsed["lists"]) {
  const last = chain.at(-1);
  if (last === undefined || !equalBytes(last.der, root.der)) return "does not end at the root";
  for (const [index, certificate] of chain.entries()) {
    if (NOW_MS < certificate.notBeforeMs || NOW_MS > certificate.notAfterMs + 999) return "times";
    if (index === 0 && certificate.isCertificateAuthority) return "a member that is an authority";
    if (index > 0 && !certificate.isCertificateAuthority) return "an issuer that is no authority";
    const issuer = chain[index + 1];
    if (issuer === undefined) continue;
    if (!equalBytes(certificate.issuerDer, issuer.subjectDer)) return "names";
    if (!verifySignatureOf(certificate, issuer.subjectKey)) return "signature";
    if (!isIssuedBy(certificate, issuer)) return "OpenSSL does not take the issuer for one";
    const named = lists.find(
      (list) =>
        equalBytes(list.issuerDer, issuer.subjectDer) &&
        verifySignatureOf(list, issuer.subjectKey) &&
        list.revoked.has(certificate.serialNumber),
    );
    if (named !== undefined && lists.length === 1) {
      const reason = named.revoked.get(certificate.serialNumber)?.reason;
      if (reason !== "removeFromCrl") return "revoked";
    }
  }
  return undefined;
}

/** The judge of certificate chains. */
export function chainTarget(world: World): Target {
  const { root, alpha, beta, validator, individual, fullList, emptyList } = world;
  const leaf = createMutator([
    { der: validator.certificate.der, signer: alpha.signer },
    { der: individual.certificate.der, signer: alpha.signer },
    { der: validator.certificate.der, signer: beta.signer },
    { der: validator.certificate.der, signer: root.signer },
  ]);
  const authority = createMutator([
    { der: alpha.certificate.der, signer: root.signer },
    { der: beta.certificate.der, signer: root.signer },
    { der: alpha.certificate.der, signer: alpha.signer },
  ]);
  const list = createMutator([
    { der: fullList, signer: alpha.signer },
    { der: emptyList, signer: alpha.signer },
  ]);
  const judge = (parts: readonly Uint8Array[]): Outcome => {
    const leafRead = parseCertificate(parts[1] ?? new Uint8Array(0));
    if (!leafRead.ok) return refused(leafRead.code, cryptoCodes);
    const { certificates, lists } = parseParts(parts);
    const verdict = verifyCertificateChain({
      leaf: leafRead.value,
      intermediates: certificates.slice(1),
      roots: [root.certificate],
      revocationLists: lists,
      atMs: NOW_MS,
    });
    if (!verdict.ok) return refused(verdict.code, cryptoCodes);
    const isRole = (ROLES as readonly string[]).includes(verdict.value.role);
    const finding = isRole
      ? checkChain(verdict.value.chain, root.certificate, lists)
      : `role ${verdict.value.role}`;
    return finding === undefined ? { result: ACCEPTED } : { result: ACCEPTED, finding };
  };
  return {
    name: "chain",
    weight: 3,
    async make(random) {
      const bytes = random.chance(0.5)
        ? await leaf(random)
        : random.pick([validator.certificate.der, individual.certificate.der]);
      const authorities = random.chance(0.5)
        ? [await authority(random), alpha.certificate.der]
        : [alpha.certificate.der];
      const lists = random.chance(0.5) ? [await list(random)] : [];
      const certificates = [bytes, ...random.shuffle(authorities)];
      return [Uint8Array.of(certificates.length), ...certificates, ...lists];
    },
    judge: async (parts) => judge(parts),
  };
}
