import {
  certificateToPem,
  cryptoErrors,
  parseCertificate,
  parseRevocationList,
  parseSigningRequest,
} from "@credlink/crypto";
import { equalBytes, type Result } from "@credlink/primitives";
import { readTree, writeTree } from "../der-tree.ts";
import { compareWithOpenssl } from "../openssl.ts";
import { createMutator, type SignedSample } from "../signed-samples.ts";
import { ACCEPTED, type Outcome, refused, type Target } from "../target.ts";
import type { World } from "../world.ts";

export const cryptoCodes: ReadonlySet<string> = new Set(Object.keys(cryptoErrors));

interface Document {
  readonly der: Uint8Array;
}

/** What is accepted must be the one encoding of itself, and must be kept byte for byte. */
function checkEncoding({ der }: Document, bytes: Uint8Array): string | undefined {
  if (!equalBytes(der, bytes)) return "other bytes are kept than were read";
  const tree = readTree(bytes);
  if (tree === undefined) return "accepted, but no DER tree";
  return equalBytes(writeTree(tree), bytes) ? undefined : "accepted, but encoded otherwise again";
}

function documentTarget<T extends Document>(
  name: string,
  weight: number,
  samples: readonly SignedSample[],
  parse: (bytes: Uint8Array) => Result<T, string>,
  check: (document: T) => string | undefined = () => undefined,
): Target {
  const mutate = createMutator(samples);
  const judge = (bytes: Uint8Array): Outcome => {
    const parsed = parse(bytes);
    if (!parsed.ok) return refused(parsed.code, cryptoCodes);
    const finding = checkEncoding(parsed.value, bytes) ?? check(parsed.value);
    return finding === undefined ? { result: ACCEPTED } : { result: ACCEPTED, finding };
  };
  return {
    name,
    weight,
    make: async (random) => [await mutate(random)],
    judge: async ([bytes = new Uint8Array(0)]) => judge(bytes),
  };
}

/** Certificates, and what OpenSSL makes of those that are accepted. */
export function certificateTarget({ root, alpha, validator, admin, foreign }: World): Target {
  const samples = [
    { der: root.certificate.der, signer: root.signer },
    { der: alpha.certificate.der, signer: root.signer },
    { der: validator.certificate.der, signer: alpha.signer },
    { der: admin.certificate.der, signer: alpha.signer },
    ...[foreign.root, foreign.node].map((der = new Uint8Array(0)) => ({ der, signer: undefined })),
  ];
  return documentTarget("certificate", 6, samples, parseCertificate, (certificate) => {
    const again = parseCertificate(certificateToPem(certificate));
    const isSame = again.ok && equalBytes(again.value.der, certificate.der);
    return isSame ? compareWithOpenssl(certificate) : "its PEM is read otherwise";
  });
}

/** Signing requests. */
export function requestTarget({ request, foreign }: World): Target {
  const samples = [
    { der: request, signer: undefined },
    { der: foreign.request ?? request, signer: undefined },
  ];
  return documentTarget("request", 3, samples, parseSigningRequest);
}

/** Revocation lists. */
export function listTarget({ alpha, emptyList, fullList, foreign }: World): Target {
  const samples = [
    { der: emptyList, signer: alpha.signer },
    { der: fullList, signer: alpha.signer },
    { der: foreign.list ?? emptyList, signer: undefined },
  ];
  return documentTarget("list", 4, samples, parseRevocationList, (list) => {
    const times = [list.thisUpdateMs, list.nextUpdateMs ?? 0];
    return times.every(Number.isSafeInteger) ? undefined : "a time that is no number";
  });
}
