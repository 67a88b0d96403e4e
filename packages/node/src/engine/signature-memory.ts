import type { SignatureClaim } from "@credlink/ledger";
import { equalBytes } from "@credlink/primitives";
import { byteKey } from "./digest-key.ts";
import type { EngineInstruments } from "./metrics.ts";
import type { SignatureVerifier } from "./types.ts";

/** One signature to be checked. */
export interface SignatureRequest {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Verifies signatures of transactions, each at most once per key. */
export interface TransactionSignatures {
  /** True at the place of each claim that holds. For transactions that wait for a place. */
  verify(claims: readonly SignatureClaim[]): Promise<readonly boolean[]>;
  /** The same for a block that consensus waits for: ahead of everything that arrives. */
  verifyUrgently(claims: readonly SignatureClaim[]): Promise<readonly boolean[]>;
}

/**
 * Remembers verified signatures by the decoded transaction they stand in: the claim's signature
 * is the very object that was decoded, so that it names its message too. A key that changed in
 * the registry since then differs from the remembered one, and the signature is verified again.
 */
export function createTransactionSignatures(
  verifier: SignatureVerifier,
  instruments: Pick<EngineInstruments, "signaturesVerified" | "signaturesRemembered">,
): TransactionSignatures {
  /** Signature object to the public key it verified under. */
  const verified = new WeakMap<Uint8Array, Uint8Array>();
  const isKnown = (claim: SignatureClaim): boolean => {
    const key = verified.get(claim.signature);
    return key !== undefined && (key === claim.publicKey || equalBytes(key, claim.publicKey));
  };
  const verify = async (
    claims: readonly SignatureClaim[],
    urgent: boolean,
  ): Promise<readonly boolean[]> => {
    const unknown = claims.filter((claim) => !isKnown(claim));
    instruments.signaturesRemembered.add(claims.length - unknown.length, { kind: "transaction" });
    if (unknown.length === 0) return claims.map(() => true);
    instruments.signaturesVerified.add(unknown.length, { kind: "transaction" });
    const answers = await verifier.verify(unknown, { urgent });
    for (const [at, claim] of unknown.entries()) {
      if (answers[at] === true) verified.set(claim.signature, claim.publicKey);
    }
    return claims.map(isKnown);
  };
  return {
    verify: (claims) => verify(claims, false),
    verifyUrgently: (claims) => verify(claims, true),
  };
}

/** Verifies consensus signatures in batches and remembers the good ones. */
export interface ConsensusSignatures {
  /** Whether all of them hold; those seen before cost nothing. */
  verifyAll(requests: readonly SignatureRequest[], kind: "consensus" | "sync"): Promise<boolean>;
  /** Takes a signature of our own as good. */
  remember(request: SignatureRequest): void;
  /** Signatures remembered. */
  readonly size: number;
}

/** Signatures remembered at most twice this many. */
const GENERATION_SIZE = 4_096;

interface Waiting {
  readonly requests: readonly SignatureRequest[];
  readonly settle: (answers: readonly boolean[]) => void;
  readonly fail: (error: unknown) => void;
}

class RememberedSignatures implements ConsensusSignatures {
  readonly #verifier: SignatureVerifier;
  readonly #instruments: Pick<EngineInstruments, "signaturesVerified" | "signaturesRemembered">;
  /** Signature -> what it is of, compared in full: the same bytes may be claimed of other things. */
  #young = new Map<string, SignatureRequest>();
  #old = new Map<string, SignatureRequest>();
  #waiting: Waiting[] = [];
  #isFlushing = false;

  constructor(
    verifier: SignatureVerifier,
    instruments: Pick<EngineInstruments, "signaturesVerified" | "signaturesRemembered">,
  ) {
    this.#verifier = verifier;
    this.#instruments = instruments;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  async verifyAll(
    requests: readonly SignatureRequest[],
    kind: "consensus" | "sync",
  ): Promise<boolean> {
    const unknown = requests.filter((request) => !this.#knows(request));
    this.#instruments.signaturesRemembered.add(requests.length - unknown.length, { kind });
    if (unknown.length === 0) return true;
    this.#instruments.signaturesVerified.add(unknown.length, { kind });
    const answers = await this.#verify(unknown);
    for (const [at, request] of unknown.entries()) {
      if (answers[at] === true) this.remember(request);
    }
    return answers.length === unknown.length && answers.every((answer) => answer);
  }

  remember(request: SignatureRequest): void {
    this.#young.set(byteKey(request.signature), request);
    if (this.#young.size < GENERATION_SIZE) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  #knows({ signature, message, publicKey }: SignatureRequest): boolean {
    const key = byteKey(signature);
    const known = this.#young.get(key) ?? this.#old.get(key);
    return (
      known !== undefined &&
      equalBytes(known.message, message) &&
      equalBytes(known.publicKey, publicKey)
    );
  }

  /** One call of the verifier at a time: what arrives meanwhile goes together in the next. */
  #verify(requests: readonly SignatureRequest[]): Promise<readonly boolean[]> {
    return new Promise((settle, fail) => {
      this.#waiting.push({ requests, settle, fail });
      if (!this.#isFlushing) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    this.#isFlushing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const all = batch.flatMap(({ requests }) => requests);
        const answers = await this.#verifier.verify(all, { urgent: true });
        let at = 0;
        for (const { requests, settle } of batch) {
          settle(answers.slice(at, at + requests.length));
          at += requests.length;
        }
      } catch (error) {
        for (const { fail } of batch) fail(error);
      }
    }
    this.#isFlushing = false;
  }
}

/** Makes the verifier of votes and certificates over the node's pool. */
export function createConsensusSignatures(
  verifier: SignatureVerifier,
  instruments: Pick<EngineInstruments, "signaturesVerified" | "signaturesRemembered">,
): ConsensusSignatures {
  return new RememberedSignatures(verifier, instruments);
}
