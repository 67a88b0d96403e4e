import type { BrokenRule } from "../rule.ts";
import { bounds, byzantine, CORE, certificates, messages, settings, UNIT } from "./places.ts";

/** Thresholds and certificates: what makes two quorums meet in an honest validator. */
export const certificateRules: readonly BrokenRule[] = [
  {
    id: "quorum",
    rule: "A certificate takes ⌊(n + f) / 2⌋ + 1 distinct validators.",
    broken: "one fewer",
    file: `${CORE}/quorum.ts`,
    find: "faultBound(validatorCount)) / 2) + 1;",
    replace: "faultBound(validatorCount)) / 2);",
    tests: [
      { file: `${UNIT}/quorum.test.ts`, name: "known bug 3: the table" },
      { file: settings, name: "known bug 3: even halves" },
    ],
  },
  {
    id: "distinct-signers",
    rule: "Signers are counted, not signatures: indices ascend strictly.",
    broken: "an index may come twice",
    file: `${CORE}/certificates.ts`,
    find: "if (index <= previous) return",
    replace: "if (index < previous) return",
    tests: [{ file: certificates, name: "known bug 67:" }],
  },
  {
    id: "distinct-voters",
    rule: "A validator's second vote of a view does not count.",
    broken: "votes are kept under their signature",
    file: `${CORE}/normal-case.ts`,
    find: "  if (first === undefined) votes.set(vote.sender, vote);",
    replace:
      "  if (first !== undefined && !isEquivocation(first, vote)) votes.set((1000 + votes.size) as never, vote);\n" +
      "  if (first === undefined) votes.set(vote.sender, vote);",
    tests: [{ file: byzantine, name: "known bugs 62 and 67:" }],
  },
  {
    id: "index-bound",
    rule: "An index at or beyond n is nobody.",
    broken: "any index counts as a signer",
    file: `${CORE}/certificates.ts`,
    find: 'if (index >= validatorCount) return refuse("CONSENSUS_CERTIFICATE_MALFORMED", "no such index");',
    replace: "",
    tests: [{ file: certificates, name: "S-9.2-1: q distinct signers verify" }],
  },
  {
    id: "view-signed",
    rule: "The view is part of what PREPARE and COMMIT sign.",
    broken: "it is left out",
    file: `${CORE}/signed-payloads.ts`,
    find: "  const fields = { ...message, ...pickContext(context) };",
    replace: "  const fields = { ...message, view: 0 as View, ...pickContext(context) };",
    tests: [{ file: certificates, name: "each signed field is bound" }],
  },
  {
    id: "claims-complete",
    rule: "Every signature inside a justification is verified, not its own alone.",
    broken: "a view change's certificate is believed",
    file: `${CORE}/signed-payloads.ts`,
    find: "return [ownClaim(message, context), ...preparedClaims(message.prepared, context)];",
    replace: "return [ownClaim(message, context)];",
    tests: [
      { file: certificates, name: "signatureClaims names every signature" },
      { file: messages, name: "known bug 44:" },
    ],
  },
  {
    id: "sender-bound",
    rule: "A message of an index at or beyond n is dropped.",
    broken: "it is kept",
    file: `${CORE}/intake.ts`,
    find: "  if (message.sender >= validators.validators.length) {",
    replace: "  if (message.sender < 0) {",
    tests: [{ file: bounds, name: "known bug 56:" }],
  },
  {
    id: "one-verdict",
    rule: "Every implementation of SM2 gives the same verdict: a bad key verifies nothing.",
    broken: "the browser does not look at the key",
    file: "packages/crypto/src/pure/sm2.ts",
    find: "  if (!isValidPublicKey(publicKey)) return false;\n",
    replace: "",
    tests: [
      { file: "packages/crypto/test/unit/differential-edges.test.ts", name: "known bug 66:" },
    ],
  },
  {
    id: "certificate-counted",
    rule: "A certificate from a peer is counted before it decides.",
    broken: "any certificate of the height decides",
    file: `${CORE}/deciding.ts`,
    find: "  const shape = checkCertificateShape(certificate, validatorCount(current));\n  if (!shape.ok) {",
    replace:
      "  const shape = checkCertificateShape(certificate, validatorCount(current));\n  if (!shape.ok && certificate.view < 0) {",
    tests: [{ file: messages, name: "known bug 31:" }],
  },
  {
    id: "chain-signed",
    rule: "Chain, genesis and validator list are part of what is signed, in fixed bytes.",
    broken: "the chain is left out",
    file: `${CORE}/signed-payloads.ts`,
    find: "  const fields = { ...message, ...pickContext(context) };",
    replace: '  const fields = { ...message, ...pickContext(context), chainId: "" };',
    tests: [
      { file: "packages/consensus-pbft/test/vectors/formats.test.ts", name: "known bug 20:" },
      { file: certificates, name: "each signed field is bound" },
    ],
  },
  {
    id: "decoders-total",
    rule: "Whatever bytes arrive, decoding gives a message or a refusal.",
    broken: "what does not decode is thrown",
    file: `${CORE}/wire.ts`,
    find: '  return decoded.ok ? decoded : refuse("CONSENSUS_MESSAGE_MALFORMED", decoded.detail);',
    replace: "  if (!decoded.ok) throw new Error(decoded.detail);\n  return decoded;",
    tests: [
      { file: "packages/consensus-pbft/test/property/decoders.test.ts", name: "known bug 39:" },
    ],
  },
  {
    id: "decision-justified",
    rule: "A decision goes with the justification of the pre-prepare that was accepted.",
    broken: "it goes with none",
    file: `${CORE}/deciding.ts`,
    find: "equalBytes(message.digest, digest) ? message.justification : null;",
    replace: "equalBytes(message.digest, digest) ? null : null;",
    tests: [{ file: byzantine, name: "a decision goes with the justification that was accepted" }],
  },
];
