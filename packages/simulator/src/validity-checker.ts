import {
  type ChainContext,
  verifyCommitCertificate,
  verifyEvidence,
  verifyJustification,
} from "@credlink/consensus-pbft/certificates";
import {
  type ConsensusLedger,
  createLedger,
  createMemoryStore,
  historyRecordCodec,
  type ProposalCheck,
  type SealedBlock,
  type SignatureClaim,
} from "@credlink/ledger";
import { equalBytes, height as toHeight, tryDecode } from "@credlink/primitives";
import type { SimulatedClock } from "@credlink/testkit";
import { CheckFailure } from "./checker-errors.ts";
import { openLeanLedger } from "./lean-ledger/lean-ledger.ts";
import { SharedChain } from "./lean-ledger/shared-chain.ts";
import type { Profile } from "./profile.ts";

/**
 * External validity (I3): every decided block is executed again by a ledger and executor of the
 * checker's own, from the bytes that the first node to commit it can show.
 */
export class ValidityChecker {
  readonly #profile: Profile;
  readonly #clock: SimulatedClock;
  readonly #isTraitor: (nodeId: string) => boolean;
  readonly #fail: (error: unknown) => void;
  #ledger: ConsensusLedger | null = null;
  #work: Promise<void> = Promise.resolve();
  /** Height up to which blocks were asked for, and were found valid. */
  #asked = 0;
  validated = 0;
  /** Pieces of evidence that stand in decided blocks. */
  recorded = 0;

  constructor(parts: {
    readonly profile: Profile;
    readonly clock: SimulatedClock;
    readonly isTraitor: (nodeId: string) => boolean;
    readonly fail: (error: unknown) => void;
  }) {
    this.#profile = parts.profile;
    this.#clock = parts.clock;
    this.#isTraitor = parts.isTraitor;
    this.#fail = parts.fail;
  }

  /** A node's chain has reached `height`; blocks that nobody showed before are judged. */
  onHeight(height: number, ledger: ConsensusLedger): void {
    for (let at = this.#asked + 1; at <= height; at++) {
      this.#asked = at;
      // Read now: the process may be dead by the time its turn comes.
      const shown = ledger.block(toHeight(at));
      this.#work = this.#work.then(async () => this.#judge(at, await shown)).catch(this.#fail);
    }
    void this.#clock.external(this.#work);
  }

  async #judge(height: number, shown: SealedBlock | null): Promise<void> {
    if (shown === null) throw new CheckFailure("I3", `block ${height} cannot be shown`);
    this.#ledger ??= await openOwnLedger(this.#profile);
    const own = this.#ledger;
    const verdict = await own.checkProposal({
      block: shown.block,
      transactions: shown.transactions,
      verifySignatures: async (claims) => claims.map((claim) => this.#isSigned(claim)),
      verifyHistory: historyVerifier(own, this.#profile),
      verifyEvidence: (evidence, validators) => {
        this.recorded++;
        const nodeId = validators.validators[evidence.sender]?.nodeId ?? "nobody";
        if (!this.#isTraitor(nodeId)) {
          throw new CheckFailure("I11", `block ${height} convicts ${nodeId}, which is honest`);
        }
        return verifyEvidence(evidence, validators, own, this.#profile.verifyOne).ok;
      },
    });
    if (!verdict.ok) {
      throw new CheckFailure("I3", `block ${height} is invalid: ${verdict.code} ${verdict.detail}`);
    }
    const { certificate } = shown;
    await own.commit(verdict.value, shown.block, { certificate });
    this.validated = height;
  }

  #isSigned({ publicKey, message, signature }: SignatureClaim): boolean {
    return this.#profile.verifyOne(publicKey, message, signature);
  }
}

function openOwnLedger({ name, genesis, createExecutor }: Profile): Promise<ConsensusLedger> {
  const store = createMemoryStore({ handedOver: true });
  const executor = createExecutor();
  if (name !== "protocol") return createLedger({ store, executor, genesis });
  const chain = new SharedChain(genesis, executor);
  return openLeanLedger({ chain, store, executed: () => null });
}

/** The record of height − 2 must prove a decision: certificate, and justification if any. */
function historyVerifier(
  chain: ChainContext,
  { verifyOne }: Profile,
): ProposalCheck["verifyHistory"] {
  return (history, _height, validators) => {
    const record = tryDecode(historyRecordCodec, history);
    if (!record.ok) return false;
    const { certificate, justification } = record.value;
    if (!verifyCommitCertificate(certificate, validators, chain, verifyOne).ok) return false;
    if (justification === null) return true;
    const obliged = verifyJustification(justification, certificate, validators, chain, verifyOne);
    return obliged.ok && (obliged.value === null || equalBytes(obliged.value, certificate.digest));
  };
}
