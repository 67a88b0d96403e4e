import { voteLogIdentity } from "@credlink/consensus-pbft";
import { digest, height, view } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  decidedHead,
  isFreshKey,
  noteFreshKey,
  openVoteLogOf,
} from "../../../src/engine/fresh-key.ts";
import { openVoteLog } from "../../../src/engine/vote-log-writer.ts";
import { createRecordingLogger } from "../../support/recording.ts";
import { createMachine, FOLDER } from "../../support/vote-log-machine.ts";

const publicKey = new Uint8Array(65).fill(9);
const other = new Uint8Array(65).fill(8);
const genesis = digest(new Uint8Array(32).fill(1));
const blockDigest = digest(new Uint8Array(32).fill(7));
const head = { header: { height: height(7) }, digest: blockDigest };
const vote = {
  ...({ type: "prepare-voted", height: height(8), view: view(0) } as const),
  digest: blockDigest,
};

type Ledger = Parameters<typeof openVoteLogOf>[1];

/** A machine whose log is of an older key, with the note that another one is fresh. */
async function noted() {
  const machine = createMachine();
  const { clock, disk, finish } = machine;
  const log = await machine.open(0);
  await finish(log.append([{ ...vote, height: height(7) }]));
  await finish(log.close());
  const parts = () => ({
    ...{ disk: disk.mount(), folder: FOLDER, clock, logger: createRecordingLogger() },
    instruments: { voteLogSync: { observe: () => undefined } },
  });
  const note = (key = publicKey) =>
    finish(noteFreshKey({ disk: disk.mount(), folder: FOLDER, publicKey: key }));
  await note();
  return {
    ...machine,
    note,
    isNoted: () => finish(isFreshKey({ disk: disk.mount(), folder: FOLDER, publicKey })),
    /** As the engine opens it. */
    start: (key = publicKey) =>
      finish(openVoteLogOf(key, { genesisDigest: genesis, head } as Ledger, parts())),
    /** The log of a key as it lies there, whatever a note says. */
    startPlainly: (key: Uint8Array) =>
      finish(openVoteLog({ ...parts(), identity: voteLogIdentity(genesis, key), headHeight: 7 })),
    names: () => finish(disk.mount().list(FOLDER)),
  };
}

describe("S-8.4-9: the vote log of a key that follows another", () => {
  it("begins at the head, and the log of the key before is moved aside", async () => {
    const { start, names, isNoted } = await noted();
    const log = await start();
    expect(log.abstain).toBe(null);
    expect(log.records).toEqual([{ type: "decided", height: 7, digest: blockDigest }]);
    expect((await names()).some((name) => name.includes("abandoned"))).toBe(true);
    expect(await isNoted()).toBe(false);
  });

  it("is not begun anew once it was begun: a log that is lost then abstains", async () => {
    const { start, finish, disk, names } = await noted();
    await finish((await start()).close());
    const again = await start();
    expect(again.abstain).toBe(null);
    await finish(again.close());
    for (const name of await names()) await finish(disk.mount().remove(`${FOLDER}/${name}`));
    expect((await start()).abstain).not.toBe(null);
  });

  it("a note that comes again before any vote begins it once more", async () => {
    const { start, note, finish } = await noted();
    await finish((await start()).close());
    await note();
    const again = await start();
    expect(again.abstain).toBe(null);
    expect(again.records).toHaveLength(1);
  });

  it("votes outweigh a note that comes again: they are still there", async () => {
    const { start, note, finish, isNoted } = await noted();
    const first = await start();
    await finish(first.append([vote]));
    await finish(first.close());
    await note();
    const again = await start();
    expect(again.abstain).toBe(null);
    expect(again.records.at(-1)).toEqual(vote);
    expect(await isNoted()).toBe(false);
  });

  it("so do votes in a log that was moved aside: the key abstains until it has recovered", async () => {
    const { start, startPlainly, note, finish } = await noted();
    const first = await start();
    await finish(first.append([vote]));
    await finish(first.close());
    // The process comes back under the key before, which begins its own log anew.
    const before = await startPlainly(other);
    expect(before.abstain).not.toBe(null);
    await finish(before.renew([{ type: "recovered", height: height(8) }]));
    await finish(before.close());
    await note();
    expect((await start()).abstain).not.toBe(null);
  });

  it("so does damage where votes may have been", async () => {
    const { start, note, finish, disk, names } = await noted();
    const first = await start();
    await finish(first.append([vote, vote]));
    await finish(first.close());
    await note();
    const segment = (await names()).find((name) => name.endsWith(".log"));
    const file = await finish(disk.mount().open(`${FOLDER}/${segment}`));
    await finish(file.write(110, new Uint8Array([255])));
    expect((await start()).abstain).not.toBe(null);
  });

  it("the note says nothing of another key, nor does a torn one", async () => {
    const { start, startPlainly, finish, disk, isNoted } = await noted();
    expect((await start(other)).abstain).not.toBe(null);
    expect(await isNoted()).toBe(true);
    const file = await finish(disk.mount().open(`${FOLDER}/fresh-key`));
    await finish(file.truncate(64));
    expect(await isNoted()).toBe(false);
    expect((await start()).abstain).toBe((await startPlainly(publicKey)).abstain);
  });

  it("at height 0 it begins empty", () => {
    const none = { header: { height: height(0) }, digest: genesis };
    expect(decidedHead(none)).toEqual([]);
  });
});
