import { sm2Verify } from "@credlink/crypto";
import { type Digest, digest, encode, equalBytes, height, utf8 } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import {
  createLedger,
  createMemoryStore,
  createReplayGuard,
  decodeSignedTransaction,
  judgeEnvelope,
  type Ledger,
  MAX_TRANSACTION_BYTES,
  type Member,
  type Transaction,
  transactionId,
  transactionSigningMessage,
} from "../../src/index.ts";
import {
  buildOn,
  countArgsCodec,
  createKeyValueExecutor,
  decoded,
  FAR_FUTURE_MS,
  freshNonce,
  keyOf,
  memberOf,
  senders,
  signTransaction,
  testGenesis,
  verifyHistory,
  verifyReally,
} from "../support.ts";

const named = {
  suspended: keyOf(21),
  left: keyOf(22),
  revoked: keyOf(23),
  early: keyOf(24),
  late: keyOf(25),
  keyless: keyOf(26),
  node: keyOf(27),
  rotated: keyOf(28),
  applied: keyOf(128),
  verified: keyOf(129),
} as const;
const stranger = keyOf(29);
const newKey = keyOf(30);
const [good, second] = [senders[0] ?? stranger, senders[1] ?? stranger];

const NOW = testGenesis.timestampMs + 1_000;

function members(): readonly Member[] {
  const of = (name: keyof typeof named, changes: Partial<Member>) =>
    memberOf(named[name].address, named[name].publicKey, changes);
  return [
    ...senders.map(({ address, publicKey }) => memberOf(address, publicKey)),
    of("applied", { status: "applied" }),
    of("verified", { status: "verified" }),
    of("suspended", { status: "suspended" }),
    of("left", { status: "left" }),
    of("revoked", { status: "revoked" }),
    of("early", { validFromMs: NOW + 1 }),
    of("late", { validToMs: NOW }),
    of("keyless", { keys: [{ fromHeight: height(2), publicKey: named.keyless.publicKey }] }),
    of("node", { role: "validator" }),
    of("rotated", {
      keys: [
        { fromHeight: height(0), publicKey: named.rotated.publicKey },
        { fromHeight: height(1), publicKey: newKey.publicKey },
        { fromHeight: height(2), publicKey: stranger.publicKey },
      ],
    }),
  ];
}

let ledger: Ledger;
beforeAll(async () => {
  ledger = await openHere();
});

const sign = (changes: Partial<Transaction> = {}, signers = [good]) =>
  signTransaction(ledger.genesisDigest, changes, signers);
const place = () => ({ parentDigest: ledger.head.digest, height: height(1), timestampMs: NOW });
const ascending = [second, senders[2] ?? stranger].sort((a, b) => {
  const at = a.address.findIndex((byte, i) => byte !== b.address[i]);
  return (a.address[at] ?? 0) - (b.address[at] ?? 0);
});
const [lower = stranger, upper = stranger] = ascending;

/** Each rule of the envelope: its code and a transaction that breaks it and no other. */
const breaches: readonly (readonly [code: string, bytes: () => Uint8Array])[] = [
  ["LEDGER_TRANSACTION_MALFORMED", () => sign().subarray(1)],
  ["LEDGER_TRANSACTION_MALFORMED", () => new Uint8Array(0)],
  ["LEDGER_TRANSACTION_TOO_LARGE", () => new Uint8Array(MAX_TRANSACTION_BYTES + 1)],
  ["LEDGER_TRANSACTION_VERSION_UNKNOWN", () => sign({ version: 2 })],
  ["LEDGER_TRANSACTION_WRONG_CHAIN", () => sign({ chainId: "another" })],
  ["LEDGER_TRANSACTION_EXPIRED", () => sign({ expiryHeight: height(0) })],
  ["LEDGER_TRANSACTION_EXPIRY_TOO_FAR", () => sign({ expiryHeight: height(1_002) })],
  ["LEDGER_TRANSACTION_GAS_LIMIT", () => sign({ gasLimit: 0 })],
  ["LEDGER_TRANSACTION_GAS_LIMIT", () => sign({ gasLimit: 1_000_001 })],
  ["LEDGER_TRANSACTION_SIGNATURE_ORDER", () => sign({}, [good, upper, lower])],
  ["LEDGER_TRANSACTION_SIGNATURE_ORDER", () => sign({}, [good, lower, lower])],
  ["LEDGER_TRANSACTION_SIGNATURE_ORDER", () => sign({}, [good, good])],
  ["LEDGER_TRANSACTION_SIGNATURE_ORDER", () => sign({ sender: second.address }, [good])],
  ["LEDGER_TRANSACTION_SENDER_UNKNOWN", () => sign({}, [stranger])],
  ["LEDGER_TRANSACTION_SIGNER_UNKNOWN", () => sign({}, [good, stranger])],
  ["LEDGER_TRANSACTION_SIGNER_UNVERIFIED", () => sign({}, [named.applied])],
  ["LEDGER_TRANSACTION_SIGNER_UNVERIFIED", () => sign({}, [good, named.verified])],
  ["LEDGER_TRANSACTION_SIGNER_SUSPENDED", () => sign({}, [named.suspended])],
  ["LEDGER_TRANSACTION_SIGNER_SUSPENDED", () => sign({}, [good, named.suspended])],
  ["LEDGER_TRANSACTION_SIGNER_LEFT", () => sign({}, [named.left])],
  ["LEDGER_TRANSACTION_SIGNER_REVOKED", () => sign({}, [named.revoked])],
  ["LEDGER_TRANSACTION_SIGNER_OUTSIDE_VALIDITY", () => sign({}, [named.early])],
  ["LEDGER_TRANSACTION_SIGNER_OUTSIDE_VALIDITY", () => sign({}, [named.late])],
  ["LEDGER_TRANSACTION_SIGNER_WITHOUT_KEY", () => sign({}, [named.keyless])],
  ["LEDGER_TRANSACTION_CONTRACT_NOT_ALLOWED", () => sign({}, [named.node])],
];

/** These never become a transaction with an id, so no block can name them. */
const undecodable: ReadonlySet<string> = new Set([
  "LEDGER_TRANSACTION_MALFORMED",
  "LEDGER_TRANSACTION_TOO_LARGE",
  "LEDGER_TRANSACTION_VERSION_UNKNOWN",
  "LEDGER_TRANSACTION_SIGNATURE_ORDER",
]);

const openHere = () =>
  createLedger({
    store: createMemoryStore(),
    executor: createKeyValueExecutor(members()),
    genesis: testGenesis,
  });

/** What an honest node says of the block that a faulty primary makes of these transactions. */
async function proposalWith(...signed: readonly Uint8Array[]) {
  const primary = await openHere();
  const transactions = signed.map(decoded);
  const { sealed } = await buildOn(primary, primary.head, transactions);
  return ledger.checkProposal({
    block: sealed.block,
    transactions,
    verifySignatures: verifyReally,
    verifyHistory,
  });
}

describe("envelope rules at the door", () => {
  it.each(breaches)("%s", (code, bytes) => {
    expect(ledger.judge(bytes(), place())).toMatchObject({ ok: false, code });
  });

  it("accept what keeps them all, and say what must verify", () => {
    const verdict = ledger.judge(sign({}, [good, lower, upper]), place());
    if (!verdict.ok) throw new Error(verdict.code);
    const { claims, transaction } = verdict.value;
    expect(transaction.signers.length).toBe(3);
    const holds = claims.map((claim) => sm2Verify(claim.publicKey, claim.message, claim.signature));
    expect(holds).toEqual([true, true, true]);
  });

  it("accept the edges: expiry now and in 1,000 heights, the highest gas limit", () => {
    for (const expiryHeight of [height(1), height(1_001)]) {
      expect(ledger.judge(sign({ expiryHeight }), place()).ok).toBe(true);
    }
    expect(ledger.judge(sign({ gasLimit: 1_000_000 }), place()).ok).toBe(true);
  });

  it("take the key that counts at the block's height", () => {
    const verdict = ledger.judge(sign({}, [named.rotated]), place());
    if (!verdict.ok) throw new Error(verdict.code);
    const [claim] = verdict.value.claims;
    expect(claim && equalBytes(claim.publicKey, newKey.publicKey)).toBe(true);
  });

  it("let a node's key call built-in contracts", () => {
    const bytes = sign({ contract: "validators", method: "ready" }, [named.node]);
    expect(ledger.judge(bytes, place()).ok).toBe(true);
  });

  it("never crash on any truncation or flipped byte", () => {
    const bytes = sign();
    for (let at = 0; at < bytes.length; at++) {
      expect(decodeSignedTransaction(bytes.subarray(0, at)).ok).toBe(false);
      const bad = bytes.slice();
      bad[at] = (bad[at] ?? 0) ^ 0xff;
      expect(typeof ledger.judge(bad, place()).ok).toBe("boolean");
    }
  });
});

describe("envelope rules in a proposal: the same codes", () => {
  it.each(breaches.filter(([code]) => !undecodable.has(code)))("%s", async (code, bytes) => {
    expect(await proposalWith(bytes())).toMatchObject({ ok: false, code });
  });

  it("LEDGER_TRANSACTION_SIGNATURE_INVALID", async () => {
    const bytes = sign();
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    expect(await proposalWith(bytes)).toMatchObject({
      code: "LEDGER_TRANSACTION_SIGNATURE_INVALID",
    });
  });

  it("LEDGER_TRANSACTION_REPLAYED inside one block", async () => {
    const nonce = freshNonce();
    const args = encode(countArgsCodec, { from: utf8("a"), to: utf8("b") });
    const again = sign({ nonce, method: "count", args });
    expect(await proposalWith(sign({ nonce }), again)).toMatchObject({
      code: "LEDGER_TRANSACTION_REPLAYED",
    });
  });

  it("a block that breaks none of them is accepted", async () => {
    expect(await proposalWith(sign(), sign({}, [good, lower, upper]))).toMatchObject({ ok: true });
  });
});

describe("the replay guard", () => {
  it("remembers exactly the last 1,000 blocks of a branch", () => {
    const guard = createReplayGuard();
    const nonce = freshNonce();
    const layer = guard.layer(guard, height(5));
    layer.add(good.address, nonce);
    expect(guard.includes(good.address, nonce, height(6))).toBe(false);
    expect(layer.includes(good.address, nonce, height(6))).toBe(true);
    guard.absorb(layer);
    expect(guard.includes(good.address, nonce, height(5))).toBe(false);
    expect(guard.includes(good.address, nonce, height(6))).toBe(true);
    expect(guard.includes(good.address, nonce, height(1_005))).toBe(true);
    expect(guard.includes(good.address, nonce, height(1_006))).toBe(false);
    for (let at = 6; at <= 1_004; at++) guard.load(height(at), new Uint8Array(0));
    expect(guard.includes(good.address, nonce, height(1_005))).toBe(true);
    guard.load(height(1_005), new Uint8Array(0));
    expect(guard.includes(good.address, nonce, height(1_006))).toBe(false);
  });

  it("an expired transaction and a far expiry meet: no transaction can be replayed", () => {
    // Included at h it may expire at h + 1,000 at the latest, and is remembered until then.
    const judged = judgeEnvelope(decoded(sign({ expiryHeight: height(1_001) })), {
      parent: ledger.stateAt(ledger.head.digest) ?? raise(),
      header: { height: height(1_002), timestampMs: FAR_FUTURE_MS - 1 },
      chainId: testGenesis.chainId,
      genesisDigest: ledger.genesisDigest,
      replay: createReplayGuard(),
      parameters: testGenesis.parameters,
    });
    expect(judged).toMatchObject({ code: "LEDGER_TRANSACTION_EXPIRED" });
  });

  it("what was signed is remembered for one chain only", () => {
    const transaction = decoded(sign());
    const other = transactionId(utf8("another genesis"));
    const messageOn = (genesisDigest: Digest): Digest | undefined => {
      const judged = judgeEnvelope(transaction, {
        parent: ledger.stateAt(ledger.head.digest) ?? raise(),
        header: { height: height(1), timestampMs: NOW },
        chainId: testGenesis.chainId,
        genesisDigest,
        replay: createReplayGuard(),
        parameters: testGenesis.parameters,
      });
      return judged.ok ? digest(judged.value.claims[0]?.message ?? raise()) : undefined;
    };
    for (const genesis of [ledger.genesisDigest, ledger.genesisDigest, other, other]) {
      expect(messageOn(genesis)).toEqual(
        transactionSigningMessage(genesis, transaction.transactionBytes),
      );
    }
    expect(messageOn(ledger.genesisDigest)).not.toEqual(messageOn(other));
  });
});

function raise(): never {
  throw new Error("no state at the head");
}
