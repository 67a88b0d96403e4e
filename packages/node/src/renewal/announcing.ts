import { proveKey, rotateKeyCall } from "@credlink/client";
import {
  type Ledger,
  memberOfKey,
  readyArgsCodec,
  SUCCESS,
  VALIDATORS_CONTRACT,
} from "@credlink/ledger";
import { encode, type Random, type Signer, height as toHeight } from "@credlink/primitives";
import { signOwnTransaction } from "../engine/own-transactions.ts";
import type { Engine } from "../engine/types.ts";
import { RenewalError } from "./errors.ts";

/** Blocks within which an announcement is good. */
const VALID_BLOCKS = 100;
/** How long its block is awaited, milliseconds; then files and chain are looked at again. */
const WAIT_MS = 8_000;

/** The chain as a renewal uses it. */
export interface RenewalChain {
  readonly ledger: Ledger;
  readonly engine: Pick<Engine, "submit" | "waitFor" | "onCommit" | "status">;
  readonly random: Random;
}

/** What the chain knows of a key's holder, and of who votes on the next block. */
export function lookAtChain({ ledger }: RenewalChain, publicKey: Uint8Array) {
  const { digest, header } = ledger.head;
  const view = ledger.stateAt(digest);
  const member = view === null ? null : memberOfKey(view, publicKey);
  const voting = ledger.validatorsAt(toHeight(header.height + 1))?.validators ?? [];
  return {
    member,
    registeredKey: member?.keys.at(-1)?.publicKey ?? null,
    votingKeys: voting.map((validator) => validator.publicKey),
  };
}

/**
 * Has the node's member take its next key, under the present one, and waits for the block. The
 * registry and the list of validators change in one transaction.
 * @throws RenewalError NODE_RENEWAL_NOT_ANNOUNCED
 */
export async function announce(
  chain: RenewalChain,
  keys: { readonly present: Signer; readonly next: Signer; readonly certificate: Uint8Array },
): Promise<void> {
  const { ledger, engine } = chain;
  const { member } = lookAtChain(chain, keys.present.publicKey);
  if (member === null) throw new RenewalError("NODE_RENEWAL_NOT_ANNOUNCED", "no member");
  const { address } = member;
  const place = { address, index: member.keys.length };
  const proven = await proveKey(keys.next, ledger.genesisDigest, place);
  const { contract, method, args, gasLimit } = rotateKeyCall(proven, keys.certificate);
  const parts = { ...chain, signer: keys.present, address };
  const transaction = await signOwnTransaction(
    parts,
    { contract, method, args },
    VALID_BLOCKS,
    gasLimit,
  );
  const taken = await engine.submit(transaction);
  if (!taken.ok) throw new RenewalError("NODE_RENEWAL_NOT_ANNOUNCED", taken.code);
  const outcome = await engine.waitFor(taken.value.id, WAIT_MS);
  if (outcome.status !== "committed") {
    throw new RenewalError("NODE_RENEWAL_NOT_ANNOUNCED", outcome.status);
  }
  const { status } = outcome.receipt;
  if (status !== SUCCESS) throw new RenewalError("NODE_RENEWAL_NOT_ANNOUNCED", status);
}

/**
 * A chain without transactions makes no blocks, and the next one hands over to the new key: says
 * `ready`, which a validator may say at any time.
 */
export async function pushOn(chain: RenewalChain, next: Signer): Promise<void> {
  const { head } = chain.ledger;
  const args = encode(readyArgsCodec, { height: head.header.height, digest: head.digest });
  const call = { contract: VALIDATORS_CONTRACT, method: "ready", args };
  const parts = { ...chain, signer: next };
  const taken = await chain.engine.submit(await signOwnTransaction(parts, call, VALID_BLOCKS));
  if (!taken.ok) throw new RenewalError("NODE_RENEWAL_NOT_ANNOUNCED", taken.code);
}
