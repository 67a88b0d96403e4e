import { sm2Sign, sm2Verify } from "@credlink/crypto";
import { type Address, address, compareBytes, encode, height, utf8 } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type AccountPolicy,
  accountCodec,
  accountKey,
  accountTransactionCodec,
  createLedger,
  createMemoryStore,
  decodeSignedTransaction,
  type Endorsement,
  type Executor,
  endorsementMessage,
  type Ledger,
  MAX_SIGNATURES,
  MEMBERS_CONTRACT,
  type Member,
  type Transaction,
  transactionCodec,
  transactionSigningMessage,
} from "../../src/index.ts";
import {
  buildOn,
  createKeyValueExecutor,
  decoded,
  freshNonce,
  keyOf,
  memberOf,
  putArgsCodec,
  signTransaction,
  testGenesis,
  verifyHistory,
  verifyReally,
} from "../support.ts";

type Key = ReturnType<typeof keyOf>;

const byAddress = (a: Key, b: Key): number => compareBytes(a.address, b.address);
const holders = Array.from({ length: MAX_SIGNATURES }, (_, at) => keyOf(300 + at)).sort(byAddress);
const [one, two, three] = [holders[0], holders[1], holders[2]].map((key) => key ?? keyOf(0)) as [
  Key,
  Key,
  Key,
];
const stranger = keyOf(320);
const outsider = keyOf(321);
const suspended = keyOf(322);
const rotated = keyOf(323);
const newKey = keyOf(324);
const NOW = testGenesis.timestampMs + 1_000;

const at = (byte: number): Address => address(new Uint8Array(32).fill(byte));
const policy = (threshold: number, signers: readonly Key[], from = 0): AccountPolicy => ({
  fromHeight: height(from),
  threshold,
  signers: signers.map((key) => key.address),
});

/** Accounts by a name each. */
const accounts = {
  two_of_three: { address: at(0xa1), policies: [policy(2, [one, two, three])] },
  one_of_three: { address: at(0xa2), policies: [policy(1, [one, two, three])] },
  all: { address: at(0xa3), policies: [policy(MAX_SIGNATURES, holders)] },
  frozen: { address: at(0xa4), policies: [policy(1, [one])] },
  mixed: { address: at(0xa5), policies: [policy(1, [suspended, rotated, one].sort(byAddress))] },
  changed: { address: at(0xa6), policies: [policy(1, [one]), policy(2, [two, three], 1)] },
  later: { address: at(0xa7), policies: [policy(1, [one], 2)] },
} as const;

function executor(): Executor {
  const accountMember = ({ address: of }: { readonly address: Address }, change = {}): Member =>
    memberOf(of, new Uint8Array(65), { keys: [], role: "enterprise", ...change });
  const members = [
    ...[...holders, outsider].map((key) => memberOf(key.address, key.publicKey)),
    memberOf(suspended.address, suspended.publicKey, { status: "suspended" }),
    memberOf(rotated.address, rotated.publicKey, {
      keys: [
        { fromHeight: height(0), publicKey: rotated.publicKey },
        { fromHeight: height(1), publicKey: newKey.publicKey },
      ],
    }),
    ...Object.entries(accounts).map(([name, account]) =>
      accountMember(account, name === "frozen" ? { status: "suspended" } : {}),
    ),
  ];
  const base = createKeyValueExecutor(members);
  const rows = Object.values(accounts).map(({ address: of, policies }) => ({
    contract: MEMBERS_CONTRACT,
    key: accountKey(of),
    value: encode(accountCodec, { policies }),
  }));
  return { ...base, genesis: (genesis) => [...base.genesis(genesis), ...rows] };
}

const open = () =>
  createLedger({ store: createMemoryStore(), executor: executor(), genesis: testGenesis });
let ledger: Ledger;
beforeAll(async () => {
  ledger = await open();
});

function draft(sender: Address, changes: Partial<Transaction> = {}): Uint8Array {
  return encode(transactionCodec, {
    version: 2,
    chainId: testGenesis.chainId,
    sender,
    nonce: freshNonce(),
    expiryHeight: height(900),
    contract: "kv",
    contractVersion: "1.0.0",
    method: "put",
    args: encode(putArgsCodec, { key: utf8("key"), value: utf8("value") }),
    gasLimit: 1_000,
    ...changes,
  });
}

const endorse = (
  transaction: Uint8Array,
  of: Address,
  key: Key,
  by = key.address,
): Endorsement => ({
  address: of,
  signer: by,
  signature: sm2Sign(key.privateKey, endorsementMessage(ledger.genesisDigest, of, transaction)),
});
const pack = (transaction: Uint8Array, signatures: readonly Endorsement[]): Uint8Array =>
  encode(accountTransactionCodec, { version: 2, transaction, signatures });

/** A transaction of an account, signed by these for it. */
function signFor({ address: of }: { readonly address: Address }, keys: readonly Key[]): Uint8Array {
  const transaction = draft(of);
  return pack(
    transaction,
    keys.map((key) => endorse(transaction, of, key)),
  );
}

const judge = (bytes: Uint8Array) =>
  ledger.judge(bytes, { parentDigest: ledger.head.digest, height: height(1), timestampMs: NOW });

async function propose(bytes: Uint8Array) {
  const primary = await open();
  const transactions = [decoded(bytes)];
  const { sealed } = await buildOn(primary, primary.head, transactions);
  return ledger.checkProposal({
    block: sealed.block,
    transactions,
    verifySignatures: verifyReally,
    verifyHistory,
  });
}

describe("T-4.5-1: k of n members sign for an account", () => {
  it.each<[string, () => Uint8Array, number]>([
    ["2 of 3", () => signFor(accounts.two_of_three, [one, three]), 2],
    ["3 of 3 where 2 are enough", () => signFor(accounts.two_of_three, [one, two, three]), 3],
    ["1 of 3", () => signFor(accounts.one_of_three, [two]), 1],
    ["16 of 16", () => signFor(accounts.all, holders), 16],
    ["the signers that count at the height", () => signFor(accounts.changed, [two, three]), 2],
  ])("%s: a block with it is accepted", async (_, bytes, count) => {
    const signed = bytes();
    const verdict = judge(signed);
    if (!verdict.ok) throw new Error(verdict.code);
    const { claims, transaction } = verdict.value;
    expect(transaction.signers).toEqual([transaction.sender]);
    expect(claims).toHaveLength(count);
    expect(
      claims.every((claim) => sm2Verify(claim.publicKey, claim.message, claim.signature)),
    ).toBe(true);
    expect(await propose(signed)).toMatchObject({ ok: true });
  });

  it.each<[string, string, () => Uint8Array]>([
    ["SIGNATURES_MISSING", "1 of 2", () => signFor(accounts.two_of_three, [one])],
    ["SIGNATURES_MISSING", "15 of 16", () => signFor(accounts.all, holders.slice(1))],
    ["SIGNER_FOREIGN", "a member outside", () => signFor(accounts.one_of_three, [outsider])],
    ["SIGNER_FOREIGN", "nobody known", () => signFor(accounts.one_of_three, [stranger])],
    ["SIGNER_FOREIGN", "a signer of before", () => signFor(accounts.changed, [one])],
    [
      "SIGNER_FOREIGN",
      "enough, and one outside",
      () => signFor(accounts.two_of_three, [one, two, outsider].sort(byAddress)),
    ],
    ["SIGNER_SUSPENDED", "a suspended signer", () => signFor(accounts.mixed, [suspended])],
    ["SIGNER_SUSPENDED", "a frozen account", () => signFor(accounts.frozen, [one])],
    ["SIGNER_WITHOUT_KEY", "nobody signs for it yet", () => signFor(accounts.later, [one])],
    ["SENDER_UNKNOWN", "no such account", () => signFor({ address: at(0xbb) }, [one])],
    [
      "SIGNER_FOREIGN",
      "a member for another member",
      () => {
        const transaction = draft(two.address);
        return pack(transaction, [endorse(transaction, two.address, one)]);
      },
    ],
    [
      "SIGNER_FOREIGN",
      "the account in a transaction of version 1",
      () =>
        signTransaction(ledger.genesisDigest, {}, [
          { address: accounts.one_of_three.address, privateKey: one.privateKey },
        ]),
    ],
  ])("%s: %s", async (code, _, bytes) => {
    const signed = bytes();
    const refused = { ok: false, code: `LEDGER_TRANSACTION_${code}` };
    expect(judge(signed)).toMatchObject(refused);
    expect(await propose(signed)).toMatchObject(refused);
  });

  it.each<[string, () => Uint8Array]>([
    ["twice", () => signFor(accounts.two_of_three, [one, one])],
    ["out of order", () => signFor(accounts.two_of_three, [two, one])],
    [
      "the sender's not first",
      () => {
        const transaction = draft(accounts.one_of_three.address);
        return pack(transaction, [
          endorse(transaction, outsider.address, outsider),
          endorse(transaction, accounts.one_of_three.address, one),
        ]);
      },
    ],
    [
      "the sender's in two parts",
      () => {
        const sender = accounts.two_of_three.address;
        const transaction = draft(sender);
        return pack(transaction, [
          endorse(transaction, sender, one),
          endorse(transaction, outsider.address, outsider),
          endorse(transaction, sender, two),
        ]);
      },
    ],
    ["nobody's", () => pack(draft(accounts.one_of_three.address), [])],
  ])("SIGNATURE_ORDER: %s", (_, bytes) => {
    expect(judge(bytes())).toMatchObject({ code: "LEDGER_TRANSACTION_SIGNATURE_ORDER" });
  });

  it.each<[string, (transaction: Uint8Array) => Uint8Array]>([
    [
      "made for another chain",
      (transaction) => endorsementMessage(testDigest(), accounts.one_of_three.address, transaction),
    ],
    [
      "made for another account",
      (transaction) =>
        endorsementMessage(ledger.genesisDigest, accounts.two_of_three.address, transaction),
    ],
    [
      "made as its own",
      (transaction) => endorsementMessage(ledger.genesisDigest, one.address, transaction),
    ],
    [
      "made as in version 1",
      (transaction) => transactionSigningMessage(ledger.genesisDigest, transaction),
    ],
  ])("SIGNATURE_INVALID: a signature %s", async (_, message) => {
    const sender = accounts.one_of_three.address;
    const transaction = draft(sender);
    const signature = sm2Sign(one.privateKey, message(transaction));
    const bytes = pack(transaction, [{ address: sender, signer: one.address, signature }]);
    expect(await propose(bytes)).toMatchObject({
      code: "LEDGER_TRANSACTION_SIGNATURE_INVALID",
    });
  });

  it("SIGNATURE_INVALID: a signer's old key; the new one counts", async () => {
    const { address: sender } = accounts.mixed;
    const transaction = draft(sender);
    const by = (key: Key) =>
      pack(transaction, [endorse(transaction, sender, key, rotated.address)]);
    expect(await propose(by(rotated))).toMatchObject({
      code: "LEDGER_TRANSACTION_SIGNATURE_INVALID",
    });
    expect(await propose(by(newKey))).toMatchObject({ ok: true });
  });

  it("a member beside the account signs for itself; the same person may do both", async () => {
    const sender = accounts.one_of_three.address;
    const transaction = draft(sender);
    const bytes = pack(transaction, [
      endorse(transaction, sender, one),
      ...[one, outsider].sort(byAddress).map((key) => endorse(transaction, key.address, key)),
    ]);
    const verdict = judge(bytes);
    if (!verdict.ok) throw new Error(verdict.code);
    expect(verdict.value.transaction.signers).toHaveLength(3);
    expect(await propose(bytes)).toMatchObject({ ok: true });
  });

  it("17 signatures, and another version inside than outside, never decode", () => {
    const sender = accounts.one_of_three.address;
    const transaction = draft(sender);
    const endorsement = endorse(transaction, sender, one);
    const many = Array.from({ length: MAX_SIGNATURES + 1 }, () => endorsement);
    expect(() => pack(transaction, many)).toThrowError();
    expect(judge(pack(draft(sender, { version: 1 }), [endorsement]))).toMatchObject({
      code: "LEDGER_TRANSACTION_VERSION_UNKNOWN",
    });
  });

  it("no truncation or flipped byte crashes, or is taken for another version", () => {
    const bytes = signFor(accounts.two_of_three, [one, two]);
    for (let place = 0; place < bytes.length; place++) {
      expect(decodeSignedTransaction(bytes.subarray(0, place)).ok).toBe(false);
      const bad = bytes.slice();
      bad[place] = (bad[place] ?? 0) ^ 0xff;
      expect(typeof judge(bad).ok).toBe("boolean");
    }
  });
});

function testDigest() {
  return decoded(signFor(accounts.one_of_three, [one])).id;
}
