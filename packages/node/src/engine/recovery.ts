import { recoverArgsCodec, SUCCESS, transactionId, VALIDATORS_CONTRACT } from "@credlink/ledger";
import {
  type Digest,
  encode,
  equalBytes,
  type Height,
  type Logger,
  height as toHeight,
} from "@credlink/primitives";
import { type OwnTransactionParts, signOwnTransaction } from "./own-transactions.ts";
import type { SubmitResult } from "./transaction-intake.ts";
import type { CommittedBlock } from "./types.ts";

/** What recovering needs of the node. */
export interface RecoveryComponents extends OwnTransactionParts {
  readonly logger: Logger;
  readonly submit: (transaction: Uint8Array) => Promise<SubmitResult>;
  /** Whether we are a validator that must not vote. */
  readonly isAbstaining: () => boolean;
}

/** The way out of abstention: a nonce of this very process, seen in a committed block. */
export interface Recovery {
  /** To be called about once a second: asks, and asks again when the last request expired. */
  tick(): void;
  /** The height of a block that witnesses our recovery, or null. */
  witnessedBy(block: CommittedBlock): Height | null;
}

/** Heights that one request stays good for. */
const EXPIRY_HEIGHTS = 100;
const NONCE_BYTES = 32;

interface Request {
  readonly id: Digest;
  readonly expiryHeight: Height;
}

class NonceRecovery implements Recovery {
  readonly #parts: RecoveryComponents;
  /**
   * Made when this abstention began, and never written anywhere: a block that holds it is younger
   * than everything that was forgotten, and no image of our disk can hold it.
   */
  #nonce: Uint8Array | null = null;
  #requests: readonly Request[] = [];
  #isAsking = false;

  constructor(parts: RecoveryComponents) {
    this.#parts = parts;
  }

  tick(): void {
    const { isAbstaining, random, ledger } = this.#parts;
    if (!isAbstaining()) {
      this.#nonce = null;
      this.#requests = [];
      return;
    }
    this.#nonce ??= random.bytes(NONCE_BYTES);
    const head = ledger.head.header.height;
    const isWaiting = this.#requests.some(({ expiryHeight }) => expiryHeight > head);
    if (isWaiting || this.#isAsking) return;
    this.#isAsking = true;
    void this.#ask(this.#nonce).finally(() => {
      this.#isAsking = false;
    });
  }

  witnessedBy({ height, transactionIds, receipts }: CommittedBlock): Height | null {
    const at = transactionIds.findIndex((id) =>
      this.#requests.some((request) => equalBytes(request.id, id)),
    );
    if (at < 0) return null;
    const id = transactionIds[at];
    const status = receipts[at]?.status ?? "";
    this.#requests = this.#requests.filter(
      (request) => id === undefined || !equalBytes(request.id, id),
    );
    if (status === SUCCESS) return height;
    this.#parts.logger.error("recovery refused", { height, status });
    return null;
  }

  async #ask(nonce: Uint8Array): Promise<void> {
    const { ledger, logger, submit } = this.#parts;
    const expiryHeight = toHeight(ledger.head.header.height + EXPIRY_HEIGHTS);
    try {
      const args = encode(recoverArgsCodec, { nonce });
      const call = { contract: VALIDATORS_CONTRACT, method: "recover", args };
      const bytes = await signOwnTransaction(this.#parts, call, EXPIRY_HEIGHTS);
      // Known before it can be in a block.
      const id = transactionId(bytes);
      this.#requests = [...this.#requests.slice(-1), { id, expiryHeight }];
      const result = await submit(bytes);
      if (result.ok) {
        logger.warn("recovery asked for", { expiryHeight });
        return;
      }
      this.#requests = this.#requests.filter((request) => request.id !== id);
      logger.warn("recovery not accepted yet", { code: result.code });
    } catch (error) {
      logger.error("recovery failed", { error });
    }
  }
}

/** Makes the recovery of one process. */
export function createRecovery(parts: RecoveryComponents): Recovery {
  return new NonceRecovery(parts);
}
