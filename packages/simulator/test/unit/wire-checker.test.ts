import {
  encodeFrame,
  encodeSegmentHeader,
  headerLink,
  type ViewChange,
  type VoteRecord,
  voteLogIdentity,
} from "@credlink/consensus-pbft";
import { VOTE_LOG_FOLDER } from "@credlink/node/engine";
import { noLogger, validatorIndex, view } from "@credlink/primitives";
import { createSeededRandom, createSimulatedClock, createSimulatedDisk } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { Checkers } from "../../src/checkers.ts";
import { DurableVotes } from "../../src/durable-votes.ts";
import { WireChecker } from "../../src/wire-checker.ts";
import { at, block, brokenBy, createBench } from "./helpers.ts";

const bench = createBench();
const { vote, certificate, sign, proposal } = bench;

/** A machine whose vote log holds these records, all of them synced. */
async function createNode(records: readonly VoteRecord[]) {
  const clock = createSimulatedClock();
  const disk = createSimulatedDisk({ clock, random: createSeededRandom(1) });
  const mounted = disk.mount();
  const file = await mounted.open(`${VOTE_LOG_FOLDER}/votes-1.log`, { create: true });
  const key = bench.set.validators[1]?.publicKey ?? new Uint8Array(65);
  const header = encodeSegmentHeader(voteLogIdentity(bench.chain.genesisDigest, key), 1);
  await file.write(0, header);
  let [offset, link] = [header.length, headerLink(header)];
  for (const [index, record] of records.entries()) {
    const encoded = encodeFrame(index + 1, link, record);
    await file.write(offset, encoded.frame);
    offset += encoded.frame.length;
    link = encoded.link;
  }
  const synced = Promise.all([file.sync(), mounted.syncFolder(VOTE_LOG_FOLDER)]);
  await clock.runUntil(1_000);
  await synced;
  return { name: "node-1", isByzantine: false, disk };
}

const prepared = (v: number, of: number): VoteRecord => ({
  type: "prepare-voted",
  ...at(1, v),
  digest: block(of),
});

describe("a vote log in several segments", () => {
  it("is read in all of them, and again from its start when it was begun anew", async () => {
    const node = await createNode([prepared(0, 1)]);
    const durable = new DurableVotes(node.disk);
    durable.refresh();
    expect(durable.names.size).toBe(1);
    const whole = node.disk.image();
    const first = [...whole.values()][0] ?? new Uint8Array(0);
    const [a, b] = [await createNode([prepared(1, 2)]), await createNode([prepared(2, 3)])];
    const [second, third] = [a, b].map(({ disk }) => [...disk.image().values()][0] ?? first);
    node.disk.restore(
      new Map([...whole, [`${VOTE_LOG_FOLDER}/votes-2.log`, second ?? first] as const]),
    );
    durable.refresh();
    expect([durable.names.size, durable.lastPrepare]).toEqual([2, "1/1"]);
    node.disk.restore(
      new Map([
        [`${VOTE_LOG_FOLDER}/votes-1.log`, third ?? first],
        [`${VOTE_LOG_FOLDER}/votes-1.log.abandoned-1`, first],
      ]),
    );
    durable.refresh();
    expect([durable.names.size, durable.lastPrepare]).toEqual([3, "1/2"]);
  });

  it("a frame that was torn inside its digest decodes, and binds to nothing", async () => {
    const node = await createNode([prepared(0, 1)]);
    const [[path, bytes] = ["", new Uint8Array(0)]] = node.disk.image();
    // As when the sector with the end of the frame was never written.
    node.disk.restore(new Map([[path, bytes.map((byte, i) => (i < bytes.length - 8 ? byte : 0))]]));
    const durable = new DurableVotes(node.disk);
    durable.refresh();
    expect([durable.names.size, durable.lastPrepare]).toEqual([0, null]);
  });

  it("of which a fault took the promises binds no later vote: I6", async () => {
    const node = await createNode([prepared(0, 1), prepared(1, 1)]);
    const checker = new WireChecker([node]);
    const [one, two] = [
      await vote("prepare", 1, 0, block(1), 1),
      await vote("prepare", 1, 1, block(1), 1),
    ];
    expect(brokenBy(() => checker.check("node-1", one))).toBe(null);
    for (const path of node.disk.durablePaths()) node.disk.lose(path);
    checker.onLogLost("node-1");
    expect(brokenBy(() => checker.check("node-1", two))).toBe("I6");
  });

  it("of a machine that was rolled back, forgives what contradicts a lower height: I5", async () => {
    const judge = async (forgivenUpTo: number) => {
      const node = await createNode([prepared(0, 1), prepared(0, 2)]);
      const checker = new WireChecker([node]);
      checker.check("node-1", await vote("prepare", 1, 0, block(1), 1));
      checker.onLogLost("node-1", forgivenUpTo);
      const again = await vote("prepare", 1, 0, block(2), 1);
      return brokenBy(() => checker.check("node-1", again));
    };
    expect([await judge(1), await judge(0)]).toEqual([null, "I5"]);
  });

  it("shows a PREPARE that it promised and never sent", async () => {
    const node = await createNode([prepared(0, 1)]);
    const checker = new WireChecker([node, { ...node, name: "node-2" }]);
    expect(checker.hasUnsentPrepare("node-1")).toBe(true);
    checker.check("node-1", await vote("prepare", 1, 0, block(1), 1));
    expect(checker.hasUnsentPrepare("node-1")).toBe(false);
  });
});

describe("negative control I5, I6, I7: votes against the log and one another", () => {
  it("a vote without a durable record is found, one with it passes", async () => {
    const checker = new WireChecker([await createNode([prepared(0, 1)])]);
    const [kept, missing] = [
      await vote("prepare", 1, 0, block(1), 1),
      await vote("prepare", 1, 1, block(1), 1),
    ];
    expect(brokenBy(() => checker.check("node-1", kept))).toBe(null);
    expect(brokenBy(() => checker.check("node-1", missing))).toBe("I6");
  });

  it("a second, different vote of one place is found even when both are durable", async () => {
    const checker = new WireChecker([await createNode([prepared(0, 1), prepared(0, 2)])]);
    const [first, second] = [
      await vote("prepare", 1, 0, block(1), 1),
      await vote("prepare", 1, 0, block(2), 1),
    ];
    expect(brokenBy(() => checker.check("node-1", first))).toBe(null);
    expect(brokenBy(() => checker.check("node-1", first))).toBe(null);
    expect(brokenBy(() => checker.check("node-1", second))).toBe("I5");
  });

  it("a vote in a view that was left is found", async () => {
    const records: VoteRecord[] = [
      { type: "entered-view", ...at(1, 1) },
      { ...prepared(0, 1), ...at(1, 0) },
    ];
    const checker = new WireChecker([await createNode(records)]);
    const change = await viewChange(null);
    const late = await vote("prepare", 1, 0, block(1), 1);
    expect(brokenBy(() => checker.check("node-1", change))).toBe(null);
    expect(brokenBy(() => checker.check("node-1", late))).toBe("I7");
  });

  it("bytes that do not decode are found; a traitor's are nobody's business", async () => {
    const node = await createNode([]);
    expect(brokenBy(() => new WireChecker([node]).check("node-1", null))).toBe("I16");
    const traitor = new WireChecker([{ ...node, isByzantine: true }]);
    expect(brokenBy(() => traitor.check("node-1", null))).toBe(null);
  });
});

async function viewChange(preparedView: number | null, of = 1): Promise<ViewChange> {
  return sign<ViewChange>({
    type: "view-change",
    ...at(1, 1),
    preparedView: preparedView === null ? null : view(preparedView),
    preparedDigest: preparedView === null ? null : block(of),
    sender: validatorIndex(1),
    prepared: null,
  });
}

describe("negative control I8: a view change names what the log holds", () => {
  const judge = async (locks: readonly number[], named: number | null, of = 1) => {
    const locked = await Promise.all(
      locks.map(
        async (v): Promise<VoteRecord> => ({
          type: "commit-voted",
          certificate: await certificate("prepare", 1, v, block(1), [0, 1, 2]),
          proposal: (await proposal(1, v, block(1), 1)).proposal,
        }),
      ),
    );
    const node = await createNode([...locked, { type: "entered-view", ...at(1, 1) }]);
    const checker = new WireChecker([node]);
    const message = await viewChange(named, of);
    return brokenBy(() => checker.check("node-1", message));
  };

  it("the highest durable certificate, neither none nor another", async () => {
    expect(await judge([], null)).toBe(null);
    expect(await judge([0], 0)).toBe(null);
    expect(await judge([0], null)).toBe("I8");
    expect(await judge([], 0)).toBe("I8");
    expect(await judge([0], 0, 2)).toBe("I8");
  });
});

describe("negative control I17: errors of honest nodes", () => {
  it("an error log is found, unless it is about somebody else", () => {
    const broken: string[] = [];
    const checkers = new Checkers({
      profile: bench.profile,
      clock: createSimulatedClock(),
      segmentBytes: 1_024,
      nodes: [
        { name: "node-1", isByzantine: false, disk: createDisk() },
        { name: "node-2", isByzantine: true, disk: createDisk() },
      ],
      fail: (error) => broken.push(String(error)),
    });
    const [honest, traitor] = ["node-1", "node-2"].map((name) => checkers.watchLog(name, noLogger));
    traitor?.error("something");
    honest?.warn("something");
    honest?.child({ component: "x" }).error("validator contradicted itself");
    expect(broken).toEqual([]);
    honest?.child({ component: "x" }).error("something");
    expect(broken).toEqual([expect.stringContaining("I17: node-1")]);
  });
});

function createDisk() {
  return createSimulatedDisk({ clock: createSimulatedClock(), random: createSeededRandom(1) });
}
