import type { Input, Message, VoteRecord } from "@credlink/consensus-pbft";
import { createMemoryStore } from "@credlink/ledger";
import { digest, height, noLogger, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { createShownVotes, MAX_STRANGERS } from "../../../src/engine/shown-votes.ts";
import { createValidatorDirectory } from "../../../src/engine/validator-directory.ts";
import { commitNext, openStorageChain, storageGenesis } from "../../support/storage-chain.ts";
import { createMachine } from "../../support/vote-log-machine.ts";

const SELF = 2;
const SIGNED = new Uint8Array(64).fill(1);
const UNSIGNED = new Uint8Array(64);
const digestOfVote = digest(new Uint8Array(32).fill(7));

function voteOf(sender: number, at: number, signature = SIGNED): Message {
  return {
    type: "prepare",
    height: height(at),
    view: view(0),
    digest: digestOfVote,
    sender: validatorIndex(sender),
    signature,
  };
}

/** Validator 2 at genesis, whose log was opened with these records. */
async function startNode(records: readonly VoteRecord[] = []) {
  const ledger = await openStorageChain(createMemoryStore());
  const own = storageGenesis.validators[SELF];
  if (own === undefined) throw new Error("no such validator");
  const machine = createMachine();
  const before = await machine.open(0);
  await machine.finish(before.append(records));
  await machine.finish(before.close());
  const log = await machine.open(0);
  const heard: Input[] = [];
  /** Signatures hold while `isHolding`. */
  const node = { isRunning: false, isHolding: true };
  const shown = createShownVotes({
    ledger,
    directory: createValidatorDirectory(ledger, own.publicKey, own.peerId),
    signatures: {
      size: 0,
      remember: () => {},
      verifyAll: async (requests) =>
        node.isHolding && requests.every(({ signature }) => signature === SIGNED),
    },
    logger: noLogger,
    voteLog: () => log,
    replica: () => (node.isRunning ? { feed: (input) => heard.push(input) } : null),
    onFatal: (error) => {
      throw error;
    },
  });
  return { ...machine, ledger, log, heard, node, shown };
}

describe("a vote that a peer shows as ours", () => {
  it("makes a log that misses it untrusted, before the replica runs and after a restart", async () => {
    const { shown, log, finish, open, disk } = await startNode();
    await shown.take("peer0", voteOf(SELF, 1));
    expect(log.abstain).not.toBe(null);
    await finish(log.append([]));
    disk.crash("lost");
    expect((await open(0)).abstain).not.toBe(null);
  });

  it("changes nothing when the log holds it, or its height is decided", async () => {
    const at = { height: height(1), view: view(0), digest: digestOfVote };
    const { shown, log, ledger } = await startNode([{ type: "prepare-voted", ...at }]);
    await shown.take("peer0", voteOf(SELF, 1));
    expect(log.abstain).toBe(null);
    await commitNext(ledger, []);
    await shown.take("peer0", voteOf(SELF, 1));
    expect(log.abstain).toBe(null);
  });

  it("counts only under our own signature", async () => {
    const { shown, log } = await startNode();
    await shown.take("peer0", voteOf(SELF, 1, UNSIGNED));
    await shown.take("peer0", voteOf(1, 1));
    expect(log.abstain).toBe(null);
  });

  it("is told to the replica once that runs", async () => {
    const { shown, log, heard, node } = await startNode();
    node.isRunning = true;
    const message = voteOf(SELF, 1);
    await shown.take("peer0", message);
    expect(heard).toEqual([{ type: "own-vote", message }]);
    expect(log.abstain).toBe(null);
  });

  it("is kept while its validators are not known, and judged when they are", async () => {
    const { shown, log, ledger, node } = await startNode();
    node.isHolding = false;
    await shown.take("peer0", voteOf(SELF, 5));
    expect(shown.size).toBe(1);
    expect(shown.onHead()).toBe(null);
    node.isHolding = true;
    for (let at = 1; at <= 3; at++) await commitNext(ledger, []);
    await shown.onHead();
    expect(shown.size).toBe(0);
    expect(log.abstain).not.toBe(null);
  });

  it("is not crowded out by what any number of strangers show", async () => {
    const { shown, log, ledger, node } = await startNode();
    node.isHolding = false;
    await shown.take("peer0", voteOf(SELF, 5));
    for (let at = 0; at < MAX_STRANGERS; at++) await shown.take(`s${at}`, voteOf(SELF, 1_000));
    expect(shown.size).toBe(MAX_STRANGERS + 1);
    for (let at = 0; at < 10; at++) await shown.take(`t${at}`, voteOf(SELF, 1_000));
    expect(shown.size).toBe(MAX_STRANGERS + 1);
    node.isHolding = true;
    for (let at = 1; at <= 3; at++) await commitNext(ledger, []);
    await shown.onHead();
    expect(shown.size).toBe(MAX_STRANGERS);
    expect(log.abstain).not.toBe(null);
  });
});
