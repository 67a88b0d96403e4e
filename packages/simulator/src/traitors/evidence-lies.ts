import { encodeEvidence, evidenceOf, type SignedVote } from "@credlink/consensus-pbft/certificates";
import type { Digest } from "@credlink/primitives";
import type { SeededRandom } from "@credlink/testkit";
import type { Conspiracy } from "./traitor.ts";

type DigestVote = Extract<SignedVote, { readonly type: "prepare" | "commit" }>;

/**
 * Evidence against somebody who voted once: the second vote has another digest under the signature
 * of the first, or under one of another message. Null when nothing was heard yet.
 */
export function falseEvidence({ heard }: Conspiracy, random: SeededRandom): Uint8Array | null {
  const votes = heard.filter(
    (message): message is DigestVote => message.type === "prepare" || message.type === "commit",
  );
  if (votes.length === 0) return null;
  const [first, other] = [random.pick(votes), random.pick(votes)];
  const digest = first.digest.slice() as Digest;
  digest[0] = (digest[0] ?? 0) ^ 0xff;
  const { signature } = random.chance(0.5) ? first : other;
  const evidence = evidenceOf(first, { ...first, digest, signature });
  return evidence === null ? null : encodeEvidence(evidence);
}
