import { encodeMessage, type Message, type Proposal } from "@credlink/consensus-pbft";
import { createMemoryStore } from "@credlink/ledger";
import { digest, height, validatorIndex, view } from "@credlink/primitives";
import { createSimulatedClock } from "@credlink/testkit";
import { expect, it } from "vitest";
import { createMessageDoor } from "../../../src/engine/message-door.ts";
import { createInstruments, engineMetrics } from "../../../src/engine/metrics.ts";
import { createPeerBudget } from "../../../src/engine/peer-budget.ts";
import { createProposalOf } from "../../../src/engine/proposal-payload.ts";
import { createRecordingLogger, createRecordingMetrics } from "../../support/recording.ts";
import { createSilentNetwork } from "../../support/silent-network.ts";
import { commitNext, openStorageChain, storageTransactions } from "../../support/storage-chain.ts";

const chain = { chainId: "chain", genesisDigest: digest(new Uint8Array(32)) };
const set = {
  hash: digest(new Uint8Array(32)),
  validators: [0, 1, 2, 3].map((index) => ({
    nodeId: `n${index}`,
    publicKey: new Uint8Array(65).fill(index),
    peerId: `n${index}`,
  })),
};

function prepare(sender: number, inView: number, at = 1): Uint8Array {
  const vote: Message = {
    type: "prepare",
    height: height(at),
    view: view(inView),
    digest: digest(new Uint8Array(32)),
    sender: validatorIndex(sender),
    signature: new Uint8Array(64),
  };
  return encodeMessage(vote);
}

function prePrepare(sender: number, proposal: Proposal): Uint8Array {
  return encodeMessage({
    type: "pre-prepare",
    height: height(1),
    view: view(0),
    parentDigest: proposal.parentDigest,
    digest: proposal.digest,
    sender: validatorIndex(sender),
    signature: new Uint8Array(64),
    proposal,
    transactions: [],
    justification: null,
  });
}

/** A proposal of a block with two transactions. */
async function blockOne(): Promise<Proposal> {
  const ledger = await openStorageChain(createMemoryStore());
  await commitNext(ledger, storageTransactions(1, 2));
  const sealed = await ledger.block(height(1));
  if (sealed === null) throw new Error("block 1");
  return createProposalOf(sealed.block, ledger.head.digest, 0);
}

/** The list without its last validator: governance removed it. */
const shorter = { ...set, validators: set.validators.slice(0, 3) };

/** Everybody is a validator up to height 1, n3 no more from 2 on. */
function openDoor(holds = true, current = 1, sinceAdvanceMs = 10_000) {
  const clock = createSimulatedClock();
  const metrics = createRecordingMetrics();
  const cuts: string[] = [];
  let verified = 0;
  const delivered: string[] = [];
  const network = createSilentNetwork("n0", (peer: string) => cuts.push(peer));
  const receive = createMessageDoor({
    ...chain,
    signatures: {
      size: 0,
      remember: () => {},
      verifyAll: async (requests) => {
        verified += requests.length;
        return holds;
      },
    },
    budget: createPeerBudget(network, clock, createRecordingLogger()),
    instruments: createInstruments(metrics),
    status: () => ({
      height: height(current),
      view: view(0),
      phase: "idle",
      primary: validatorIndex(1),
      self: validatorIndex(0),
      abstaining: false,
      halted: false,
    }),
    validatorsAt: (at) => (at === 1 ? set : shorter),
    isConvicted: () => false,
    sinceAdvanceMs: () => sinceAdvanceMs,
    lateMs: 200,
    deliver: (from) => delivered.push(from),
    onAhead: () => {},
    clock,
    onLag: () => {},
  });
  const from = (id: string) => ({ id, organization: "o", role: "validator", provisional: false });
  return {
    clock,
    cuts,
    delivered,
    verified: () => verified,
    hear: (sender: number, inView: number) => receive(from(`n${sender}`), prepare(sender, inView)),
    propose: (sender: number, proposal: Proposal) =>
      receive(from(`n${sender}`), prePrepare(sender, proposal)),
    receive: (id: string, bytes: Uint8Array) => receive(from(id), bytes),
    dropped: (reason: string) =>
      metrics.value(engineMetrics.messagesDropped, { protocol: "consensus", reason }),
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it("a validator that signs vote after vote is verified so often and no more, and cut for a flood alone", async () => {
  const door = openDoor();
  for (let inView = 0; inView < 6_000; inView++) door.hear(3, inView);
  await settled();
  expect(door.verified()).toBe(1_200);
  expect(door.cuts).toEqual([]);
  // The others' votes pass beside it.
  door.hear(1, 0);
  door.hear(2, 0);
  await settled();
  expect(door.delivered.filter((id) => id !== "n3")).toEqual(["n1", "n2"]);
  await door.clock.runUntil(1_000);
  for (let inView = 0; inView < 10_000; inView++) door.hear(3, inView);
  await settled();
  expect(door.verified()).toBe(1_200 + 2 + 300);
  expect(door.cuts).toEqual(["n3"]);
});

it("one whose signatures do not hold is cut after the twenty-first", async () => {
  const door = openDoor(false);
  for (let inView = 0; inView < 20; inView++) door.hear(3, inView);
  await settled();
  expect(door.cuts).toEqual([]);
  door.hear(3, 20);
  await settled();
  expect(door.cuts).toEqual(["n3"]);
});

it("known bug 45: a proposal whose facts are not its payload's is dropped before a signature is looked at", async () => {
  const proposal = await blockOne();
  const other = digest(new Uint8Array(32).fill(9));
  const lies: readonly Proposal[] = [
    { ...proposal, height: height(2) },
    { ...proposal, proposer: validatorIndex(3) },
    { ...proposal, timestampMs: proposal.timestampMs + 1 },
    { ...proposal, transactionCount: 1 },
    { ...proposal, digest: other },
    { ...proposal, parentDigest: other },
    { ...proposal, validatorsHash: other },
    { ...proposal, nextValidatorsHash: other },
    { ...proposal, payload: proposal.payload.slice(1) },
    { ...proposal, payload: new Uint8Array(0) },
  ];
  const door = openDoor();
  for (const lie of lies) door.propose(1, lie);
  await settled();
  expect([door.verified(), door.delivered]).toEqual([0, []]);
  door.propose(1, proposal);
  await settled();
  expect(door.delivered).toEqual(["n1"]);
});

it("a removed validator's votes are dropped, counted and not verified; they cost it nothing", async () => {
  const door = openDoor(true, 2);
  // Under its old index, and as if it were another.
  for (let inView = 0; inView < 30; inView++) door.receive("n3", prepare(3, inView, 2));
  for (let inView = 0; inView < 30; inView++) door.receive("n3", prepare(1, inView, 2));
  await settled();
  expect([door.dropped("not_validator"), door.dropped("not_sender")]).toEqual([30, 30]);
  expect([door.verified(), door.delivered, door.cuts]).toEqual([0, [], []]);
  // What it signed about a height that was still its own may yet convict it, or complete a quorum.
  door.receive("n3", prepare(3, 0, 1));
  door.receive("n1", prepare(1, 0, 2));
  await settled();
  expect(door.delivered).toEqual(["n3", "n1"]);
});

it("a removed validator that floods is cut as any peer that does", async () => {
  const door = openDoor(true, 2);
  for (let at = 0; at < 1_200 + 5_000; at++) door.receive("n3", prepare(3, 0, 2));
  expect(door.cuts).toEqual([]);
  door.receive("n3", prepare(3, 0, 2));
  expect(door.cuts).toEqual(["n3"]);
});

it("a vote for the height just decided is dropped unverified for 200 ms, and heard from then on", async () => {
  const late = openDoor(true, 2, 199);
  late.receive("n1", prepare(1, 0, 1));
  await settled();
  expect([late.dropped("late"), late.verified(), late.delivered]).toEqual([1, 0, []]);
  const stuck = openDoor(true, 2, 200);
  stuck.receive("n1", prepare(1, 0, 1));
  await settled();
  expect([stuck.dropped("late"), stuck.verified(), stuck.delivered]).toEqual([0, 1, ["n1"]]);
});
