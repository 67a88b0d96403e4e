import { voteLogIdentity } from "@credlink/consensus-pbft";
import { digest, height, view } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  decidedHead,
  forgetFreshKey,
  isFreshKey,
  noteFreshKey,
} from "../../../src/engine/fresh-key.ts";
import { openVoteLog } from "../../../src/engine/vote-log-writer.ts";
import { createRecordingLogger } from "../../support/recording.ts";
import { createMachine, FOLDER } from "../../support/vote-log-machine.ts";

const publicKey = new Uint8Array(65).fill(9);
const other = new Uint8Array(65).fill(8);
const genesis = digest(new Uint8Array(32).fill(1));
const head = { header: { height: height(7) }, digest: digest(new Uint8Array(32).fill(7)) };

/** A machine whose log is of an older key, with the note that another one is fresh. */
async function noted() {
  const machine = createMachine();
  const log = await machine.open(0);
  const vote = { type: "prepare-voted", height: height(7), view: view(0), digest: head.digest };
  await machine.finish(log.append([{ ...vote, type: "prepare-voted" }]));
  await machine.finish(log.close());
  const place = { disk: machine.disk.mount(), folder: FOLDER, publicKey };
  await machine.finish(noteFreshKey(place));
  /** As the engine opens it. */
  const start = async (key = publicKey) => {
    const at = { disk: machine.disk.mount(), folder: FOLDER, publicKey: key };
    const isFresh = await machine.finish(isFreshKey(at));
    const opened = await machine.finish(
      openVoteLog({
        ...{ disk: at.disk, folder: FOLDER, clock: machine.clock, headHeight: 7 },
        identity: voteLogIdentity(genesis, key),
        beginsWith: isFresh ? decidedHead(head) : null,
        logger: createRecordingLogger(),
        instruments: { voteLogSync: { observe: () => undefined } },
      }),
    );
    return { isFresh, opened, at };
  };
  return { ...machine, start };
}

describe("S-8.4-9: the vote log of a key that follows another", () => {
  it("begins at the head, and the log of the key before is moved aside", async () => {
    const { start, finish } = await noted();
    const { isFresh, opened, at } = await start();
    expect(isFresh).toBe(true);
    expect(opened.abstain).toBe(null);
    expect(opened.records).toEqual([{ type: "decided", height: 7, digest: head.digest }]);
    const names = await finish(at.disk.list(FOLDER));
    expect(names.some((name) => name.includes("abandoned"))).toBe(true);
  });

  it("is not begun anew once it was begun: a log that is lost then abstains", async () => {
    const { start, finish } = await noted();
    const first = await start();
    await finish(forgetFreshKey(first.at));
    await finish(first.opened.close());
    const again = await start();
    expect(again.isFresh).toBe(false);
    expect(again.opened.abstain).toBe(null);
    await finish(again.opened.close());
    for (const name of await finish(again.at.disk.list(FOLDER))) {
      await finish(again.at.disk.remove(`${FOLDER}/${name}`));
    }
    expect((await start()).opened.abstain).not.toBe(null);
  });

  it("a crash before the note is forgotten begins it once more", async () => {
    const machine = await noted();
    await machine.start();
    machine.disk.crash("lost");
    const again = await machine.start();
    expect(again.isFresh).toBe(true);
    expect(again.opened.abstain).toBe(null);
  });

  it("the note says nothing of another key, nor does a torn one", async () => {
    const { start, finish, disk } = await noted();
    expect((await start(other)).isFresh).toBe(false);
    const mount = disk.mount();
    const file = await finish(mount.open(`${FOLDER}/fresh-key`));
    await finish(file.truncate(64));
    expect((await start()).isFresh).toBe(false);
  });

  it("at height 0 it begins empty", () => {
    const none = { header: { height: height(0) }, digest: genesis };
    expect(decidedHead(none)).toEqual([]);
  });
});
