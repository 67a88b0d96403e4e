import { isValidPublicKey } from "@credlink/crypto";
import { ANCESTOR_WINDOW, readyArgsCodec, readyKey, VALIDATORS_CONTRACT } from "@credlink/ledger";
import {
  type Address,
  type Clock,
  decode,
  encode,
  equalBytes,
  type Height,
  heightCodec,
  invariant,
  type Logger,
  type PeerId,
  height as toHeight,
} from "@credlink/primitives";
import { createHeightClaims } from "./height-claims.ts";
import { type OwnTransactionParts, ownAddress, signOwnTransaction } from "./own-transactions.ts";
import type { SubmitResult } from "./transaction-intake.ts";

/** What saying `ready` works with. */
export interface ReadinessParts extends OwnTransactionParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly self: PeerId;
  readonly isSyncing: () => boolean;
  readonly submit: (transaction: Uint8Array) => Promise<SubmitResult>;
}

/** Says on chain that a node that waits to become a validator follows it. */
export interface Readiness {
  /** A peer's status came, with the height it claims. */
  onStatus(peer: PeerId, height: number): void;
  /** Looks whether there is something to say, and says it. */
  tick(): Promise<void>;
}

/** The word is renewed when half of the time has gone in which a change may rely on it. */
const RENEW_AFTER = ANCESTOR_WINDOW / 2;
/** A word that found no block within this time is said again, milliseconds. */
const REPEAT_MS = 10_000;

/**
 * Makes the readiness of one node. Its key must be an active member's of role `validator` and
 * stand outside V(head + 2); governance can then add it.
 */
export function createReadiness(parts: ReadinessParts): Readiness {
  const { ledger, signer, clock, logger, self } = parts;
  const membersAfter = (head: Height) => ledger.validatorsAt(toHeight(head + 1));
  const claims = createHeightClaims(self, () => {
    const members = membersAfter(ledger.head.header.height);
    invariant(members !== null, "the validators above the head are known");
    return members;
  });
  let saidAtMs = Number.NEGATIVE_INFINITY;

  const isOutside = (head: Height): boolean => {
    const validators = ledger.validatorsAt(toHeight(head + 2))?.validators ?? [];
    return !validators.some(({ publicKey }) => equalBytes(publicKey, signer.publicKey));
  };
  const isEligible = (address: Address): boolean => {
    const member = ledger.member(address);
    return member?.role === "validator" && member.status === "active";
  };
  const hasCaughtUp = (head: Height): boolean => {
    const set = membersAfter(head);
    const highest = set === null ? null : claims.credible(set);
    return !parts.isSyncing() && highest !== null && head + 1 >= highest;
  };
  const isFresh = (address: Address, head: Height): boolean => {
    const row = ledger.stateAt(ledger.head.digest)?.get(VALIDATORS_CONTRACT, readyKey(address));
    return row !== undefined && row !== null && decode(heightCodec, row) + RENEW_AFTER > head;
  };

  return {
    onStatus: claims.note,
    async tick() {
      const { digest, header } = ledger.head;
      const { height } = header;
      const now = clock.monotonicMs();
      if (now - saidAtMs < REPEAT_MS || !isOutside(height) || !hasCaughtUp(height)) return;
      // A key that is no point of the curve, as simulations have, has no address.
      if (!isValidPublicKey(signer.publicKey)) return;
      const address = ownAddress(ledger, signer);
      if (!isEligible(address) || isFresh(address, height)) return;
      saidAtMs = now;
      const call = {
        contract: VALIDATORS_CONTRACT,
        method: "ready",
        args: encode(readyArgsCodec, { height, digest }),
      };
      const transaction = await signOwnTransaction(parts, call, ANCESTOR_WINDOW);
      const result = await parts.submit(transaction);
      if (result.ok) logger.info("said ready to be a validator", { height });
      else logger.warn("ready was not taken", { height, code: result.code });
    },
  };
}
