import {
  addressFromPublicKey,
  createSm2Signer,
  createVerificationPool,
  generateKeyPair,
  randomBytes,
} from "@credlink/crypto";
import {
  type DecodedTransaction,
  decodeSignedTransaction,
  type SignatureClaim,
  signedTransactionCodec,
  transactionCodec,
  transactionSigningMessage,
} from "@credlink/ledger";
import {
  createMempool,
  createTransactionSignatures,
  type SignatureVerifier,
} from "@credlink/node/engine";
import { digest, encode, height } from "@credlink/primitives";
import type { VerifyOnceOptions } from "./options.ts";
import { percentile, round } from "./statistics.ts";

/** What `pnpm bench verify-once` reports. Times are processor time of all threads. */
export interface VerifyOnceReport {
  readonly transactions: number;
  readonly rounds: number;
  /** Microseconds a transaction, median over the rounds: decoding and verifying at the push. */
  readonly pushUs: number;
  /** The same at the proposal, for transactions that were never pushed to this node. */
  readonly firstSightUs: number;
  /** At the proposal, for those in the pool: their signatures were verified under the same keys. */
  readonly rememberedUs: number;
  /** `firstSightUs` / `rememberedUs`: how much shorter the proposal's way is. */
  readonly proposalRatio: number;
  /** (push + first sight) / (push + remembered): what the node saves altogether. */
  readonly totalRatio: number;
  /** Signatures that were verified at the proposal, in all rounds: of first sight, and remembered. */
  readonly verified: { readonly firstSight: number; readonly remembered: number };
}

interface Signed {
  readonly bytes: Uint8Array;
  /** The signer's key and the message, as the registry and the envelope name them. */
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
}

const genesisDigest = digest(new Uint8Array(32).fill(1));
const ARGS_BYTES = 400;

/** Transactions of a few hundred bytes with one signature each, by a few senders. */
async function signAll(count: number): Promise<readonly Signed[]> {
  const senders = Array.from({ length: 4 }, () => createSm2Signer(generateKeyPair().privateKey));
  const signed: Signed[] = [];
  for (let at = 0; at < count; at++) {
    const signer = senders[at % senders.length];
    if (signer === undefined) throw new Error("no sender");
    const { publicKey } = signer;
    const address = addressFromPublicKey(publicKey);
    const transaction = encode(transactionCodec, {
      version: 1,
      chainId: "bench",
      sender: address,
      nonce: randomBytes(16),
      expiryHeight: height(100),
      contract: "credential",
      contractVersion: "1.0.0",
      method: "submit",
      args: randomBytes(ARGS_BYTES),
      gasLimit: 1_000_000,
    });
    const message = transactionSigningMessage(genesisDigest, transaction);
    const signature = await signer.sign(message);
    const bytes = encode(signedTransactionCodec, {
      transaction,
      signatures: [{ address, signature }],
    });
    signed.push({ bytes, publicKey, message });
  }
  return signed;
}

/** As a node reads it: bytes of its own, so that nothing read before is found again. */
function read({ bytes }: Signed): DecodedTransaction {
  const decoded = decodeSignedTransaction(bytes.slice());
  if (!decoded.ok) throw new Error(decoded.code);
  return decoded.value;
}

function claimOf(signed: Signed, { signatures }: DecodedTransaction): SignatureClaim {
  const [first] = signatures;
  if (first === undefined) throw new Error("a transaction is signed");
  return { ...first, publicKey: signed.publicKey, message: signed.message };
}

/** Microseconds of processor time, of all threads of this process, a transaction. */
async function costUs(count: number, run: () => Promise<readonly boolean[]>): Promise<number> {
  const before = process.cpuUsage();
  const answers = await run();
  const { user, system } = process.cpuUsage(before);
  if (answers.length !== count || answers.includes(false)) throw new Error("a signature is bad");
  return (user + system) / count;
}

interface Round {
  readonly pushUs: number;
  readonly firstSightUs: number;
  readonly rememberedUs: number;
}

/** One node that was pushed the transactions, and one that meets them in the proposal. */
async function runRound(
  signed: readonly Signed[],
  verifier: SignatureVerifier,
  count: (what: "firstSight" | "remembered", signatures: number) => void,
): Promise<Round> {
  const all = signed.length;
  const none = { add: () => undefined };
  const instruments = { signaturesVerified: none, signaturesRemembered: none };
  const fresh = createTransactionSignatures(
    {
      verify: (requests, options) => {
        count("firstSight", requests.length);
        return verifier.verify(requests, options);
      },
    },
    instruments,
  );
  const firstSightUs = await costUs(all, () =>
    fresh.verifyUrgently(signed.map((one) => claimOf(one, read(one)))),
  );
  let isProposed = false;
  const limits = { maxTransactions: all, maxBytes: 2 ** 30, maxPerSender: all };
  const pool = createMempool(limits);
  const known = createTransactionSignatures(
    {
      verify: (requests, options) => {
        if (isProposed) count("remembered", requests.length);
        return verifier.verify(requests, options);
      },
    },
    instruments,
  );
  const pushUs = await costUs(all, async () => {
    const transactions = signed.map(read);
    const claims = transactions.map((one, at) => claimOf(signed[at] ?? never(), one));
    const answers = await known.verify(claims);
    for (const one of transactions) pool.add(one, 0);
    return answers;
  });
  const ids = signed.map((one) => read(one).id);
  isProposed = true;
  const rememberedUs = await costUs(all, () =>
    known.verifyUrgently(
      ids.map((id, at) => claimOf(signed[at] ?? never(), pool.get(id)?.transaction ?? never())),
    ),
  );
  return { pushUs, firstSightUs, rememberedUs };
}

function never(): never {
  throw new Error("every transaction is there");
}

/**
 * What remembering verified signatures brings: transactions are pushed to a node before the
 * proposal that names them, so that at the proposal, which everybody waits for, nothing is left to
 * verify. Both ways are measured in each round, side by side.
 */
export async function runVerifyOnce(
  { transactions, rounds }: VerifyOnceOptions,
  say: (text: string) => void,
): Promise<VerifyOnceReport> {
  say(`signing ${transactions} transactions`);
  const signed = await signAll(transactions);
  const verified = { firstSight: 0, remembered: 0 };
  const limit = { threads: 1, maxQueuedSignatures: Math.max(10_000, 2 * transactions) };
  const verifier = createVerificationPool(limit);
  const done: Round[] = [];
  try {
    const count = (what: keyof typeof verified, signatures: number): void => {
      verified[what] += signatures;
    };
    // The first round warms tables and compiled code, and is not counted.
    await runRound(signed, verifier, () => undefined);
    for (let at = 0; at < rounds; at++) done.push(await runRound(signed, verifier, count));
  } finally {
    await verifier.close();
  }
  const median = (of: keyof Round): number =>
    percentile(
      done.map((one) => one[of]).sort((a, b) => a - b),
      0.5,
    );
  const [pushUs, firstSightUs, rememberedUs] = [
    median("pushUs"),
    median("firstSightUs"),
    median("rememberedUs"),
  ];
  return {
    ...{ transactions, rounds, verified },
    pushUs: round(pushUs),
    firstSightUs: round(firstSightUs),
    rememberedUs: round(rememberedUs),
    proposalRatio: round(firstSightUs / rememberedUs),
    totalRatio: Math.round((100 * (pushUs + firstSightUs)) / (pushUs + rememberedUs)) / 100,
  };
}
