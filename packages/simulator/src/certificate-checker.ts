import {
  type ChainContext,
  type CommitCertificate,
  type Justification,
  type Message,
  type PreparedCertificate,
  signedPayload,
  type ValidatorSet,
  type VerifySignature,
  viewChangeClaim,
} from "@credlink/consensus-pbft/certificates";
import { equalBytes, toHex } from "@credlink/primitives";
import { CheckFailure } from "./checker-errors.ts";
import type { KnownValidators } from "./known-validators.ts";

type VoteType = "prepare" | "commit";
type Certificate = PreparedCertificate | CommitCertificate;

/** What is known of one height: which digests could be certified, and in which views. */
interface HeightFacts {
  /** `type/view/digest` -> signer -> its signature, verified. */
  readonly votes: Map<string, Map<number, Uint8Array>>;
  /** view -> the digest that q validators prepared. */
  readonly prepared: Map<number, string>;
  /** The digest that q validators committed, and the lowest view in which they did. */
  committed: { readonly digest: string; readonly view: number } | null;
}

/** Least distinct signers: more than half of all and of what traitors can double. */
function leastSigners(count: number): number {
  const faulty = Math.floor((count - 1) / 3);
  return Math.ceil((count + faulty + 1) / 2);
}

/**
 * Judges every certificate on the wire by a verifier of its own (I9), and holds all votes and
 * certificates that anybody ever saw against the two lemmas of the safety proof (I10): one digest
 * per height and view can be prepared (L1), and once a digest is committed in a view, nothing
 * else is prepared in that view or above (L2).
 */
export class CertificateChecker {
  readonly #chain: ChainContext;
  readonly #validators: KnownValidators;
  readonly #verify: VerifySignature;
  readonly #heights = new Map<number, HeightFacts>();
  /** Certificates and justifications that were verified. */
  checked = 0;
  /** Highest view in which a digest was prepared. */
  highestPreparedView = -1;

  constructor(chain: ChainContext, validators: KnownValidators, verify: VerifySignature) {
    this.#chain = chain;
    this.#validators = validators;
    this.#verify = verify;
  }

  /**
   * One message as it was first put on the wire.
   *
   * @throws CheckFailure I9 when an honest node sends what does not verify, I10, I16
   */
  check(message: Message, isHonest: boolean): void {
    switch (message.type) {
      case "prepare":
      case "commit":
        this.#vote(message, isHonest);
        return;
      case "view-change":
        if (message.prepared !== null) this.#certificate("prepare", message.prepared, isHonest);
        return;
      case "decided":
        this.#certificate("commit", message.certificate, isHonest);
        return;
      case "pre-prepare":
        if (message.justification !== null) {
          this.#justification(message.justification, message, isHonest);
        }
        return;
      case "wish":
        return;
    }
  }

  #vote(message: Extract<Message, { readonly type: VoteType }>, isHonest: boolean): void {
    const { type, height, view, digest, sender, signature } = message;
    const set = this.#validators.at(height);
    if (set === null) return;
    const facts = this.#at(height);
    const voters = votersOf(facts, type, view, toHex(digest));
    if (voters.has(sender)) return;
    if (!this.#isSigned(set, sender, message, signature)) {
      if (isHonest) throw new CheckFailure("I16", `validator ${sender} signed ${type} wrongly`);
      return;
    }
    voters.set(sender, signature);
    if (voters.size === leastSigners(set.validators.length)) {
      this.#note(type, height, view, toHex(digest));
    }
  }

  #certificate(type: VoteType, certificate: Certificate, isHonest: boolean): void {
    const set = this.#validators.at(certificate.height);
    if (set === null) return;
    const fault = this.#faultOf(type, certificate, set);
    if (fault === null) {
      this.checked++;
      this.#note(type, certificate.height, certificate.view, toHex(certificate.digest));
    } else if (isHonest) {
      const { height, view } = certificate;
      throw new CheckFailure(
        "I9",
        `an honest node sent a bad ${type} proof ${height}/${view}: ${fault}`,
      );
    }
  }

  #faultOf(type: VoteType, certificate: Certificate, set: ValidatorSet): string | null {
    const { height, view, digest, signatures } = certificate;
    const voters = votersOf(this.#at(height), type, view, toHex(digest));
    const signers = new Set<number>();
    for (const { index, signature } of signatures) {
      signers.add(index);
      const seen = voters.get(index);
      if (seen !== undefined && equalBytes(seen, signature)) continue;
      const vote = { type, height, view, digest, sender: index };
      if (!this.#isSigned(set, index, vote, signature)) return `signature of ${index}`;
      if (seen === undefined) voters.set(index, signature);
    }
    if (signers.size !== signatures.length) return "a signer twice";
    const least = leastSigners(set.validators.length);
    return signers.size < least ? `${signers.size} signers, not ${least}` : null;
  }

  #justification(
    { viewChanges, prepared }: Justification,
    place: Extract<Message, { readonly type: "pre-prepare" }>,
    isHonest: boolean,
  ): void {
    if (prepared !== null) this.#certificate("prepare", prepared, isHonest);
    const set = this.#validators.at(place.height);
    if (!isHonest || set === null) return;
    this.checked++;
    const fail = (text: string): never => {
      throw new CheckFailure("I9", `justification of ${place.height}/${place.view}: ${text}`);
    };
    const senders = new Set(viewChanges.map(({ sender }) => sender));
    if (senders.size < leastSigners(set.validators.length)) fail("too few view changes");
    const context = { ...this.#chain, validatorsHash: set.hash };
    let highest: number | null = null;
    for (const vote of viewChanges) {
      if (vote.height !== place.height || vote.view !== place.view) fail("of another place");
      const { index, message, signature } = viewChangeClaim(vote, context);
      const key = set.validators[index]?.publicKey;
      if (key === undefined || !this.#verify(key, message, signature))
        fail(`signature of ${index}`);
      if (vote.preparedView !== null) highest = Math.max(highest ?? 0, vote.preparedView);
    }
    if ((prepared?.view ?? null) !== highest) fail("not the highest prepared certificate");
    if (prepared !== null && !equalBytes(prepared.digest, place.digest)) fail("another block");
  }

  #isSigned(
    set: ValidatorSet,
    index: number,
    vote: Parameters<typeof signedPayload>[1],
    signature: Uint8Array,
  ): boolean {
    const key = set.validators[index]?.publicKey;
    if (key === undefined) return false;
    const payload = signedPayload({ ...this.#chain, validatorsHash: set.hash }, vote);
    return this.#verify(key, payload, signature);
  }

  /** A quorum for `digest` exists: the lemmas must hold of it and all that is known. */
  #note(type: VoteType, height: number, view: number, digest: string): void {
    const facts = this.#at(height);
    if (type === "prepare") {
      const other = facts.prepared.get(view);
      if (other !== undefined && other !== digest) {
        throw new CheckFailure("I10", `L1: two digests are prepared in ${height}/${view}`);
      }
      facts.prepared.set(view, digest);
      this.highestPreparedView = Math.max(this.highestPreparedView, view);
    } else if (facts.committed === null || facts.committed.digest === digest) {
      const lowest = Math.min(facts.committed?.view ?? view, view);
      facts.committed = { digest, view: lowest };
    } else {
      throw new CheckFailure("I10", `L3: two digests are committed at ${height}`);
    }
    const { committed } = facts;
    if (committed === null) return;
    for (const [at, prepared] of facts.prepared) {
      if (at < committed.view || prepared === committed.digest) continue;
      const text = `L2: another digest is prepared in ${height}/${at}`;
      throw new CheckFailure("I10", `${text}, committed in view ${committed.view}`);
    }
  }

  #at(height: number): HeightFacts {
    const known = this.#heights.get(height);
    if (known !== undefined) return known;
    const fresh: HeightFacts = { votes: new Map(), prepared: new Map(), committed: null };
    this.#heights.set(height, fresh);
    return fresh;
  }
}

function votersOf(
  facts: HeightFacts,
  type: VoteType,
  view: number,
  digest: string,
): Map<number, Uint8Array> {
  const key = `${type}/${view}/${digest}`;
  const known = facts.votes.get(key);
  if (known !== undefined) return known;
  const fresh = new Map<number, Uint8Array>();
  facts.votes.set(key, fresh);
  return fresh;
}
