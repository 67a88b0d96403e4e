import { addressFromPublicKey } from "@credlink/crypto";
import {
  changeValidatorsArgsCodec,
  listEvidenceArgsCodec,
  MAX_LISTED_EVIDENCE,
  MAX_SKIPPED_EVIDENCE,
  type Misbehaviour,
  misbehaviourListCodec,
  recoverArgsCodec,
  recoveredCodec,
  VALIDATOR_RECOVERED_TOPIC,
} from "@credlink/ledger";
import { type Address, decode, encode, height } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TestChain } from "../support/chain.ts";
import { type Consortium, createConsortium } from "../support/consortium.ts";

let consortium: Consortium;
let chain: TestChain;
beforeAll(async () => {
  consortium = await createConsortium({ validators: 5 });
});
beforeEach(() => {
  chain = new TestChain(consortium.genesis);
});

function misdeed(at: number, index: number): Misbehaviour {
  const validator = consortium.genesis.validators[index];
  if (validator === undefined) throw new Error("no such validator");
  return {
    height: height(at),
    nodeId: validator.nodeId,
    publicKey: validator.publicKey,
    evidence: new Uint8Array(512).fill(index),
    recordedAt: height(at + 1),
  };
}

async function list(fromHeight: number, skip = 0): Promise<readonly Misbehaviour[]> {
  const receipt = await chain.query({
    contract: "validators",
    method: "evidence",
    args: encode(listEvidenceArgsCodec, { fromHeight: height(fromHeight), skip }),
    signers: consortium.admins.slice(0, 1).map(({ address }) => address),
  });
  expect(receipt.status).toBe("SUCCESS");
  return decode(misbehaviourListCodec, receipt.returnValue);
}

describe("validators.evidence", () => {
  it("lists what blocks recorded, by height, and removes nobody", async () => {
    expect(await list(0)).toEqual([]);
    const before = chain.executor.validators(chain.view).hash;
    await chain.blockOf([], [misdeed(1, 0), misdeed(256, 2)]);
    await chain.blockOf([], [misdeed(2, 3)]);
    expect(await list(0)).toEqual([misdeed(1, 0), misdeed(2, 3), misdeed(256, 2)]);
    expect(await list(2)).toEqual([misdeed(2, 3), misdeed(256, 2)]);
    expect(await list(257)).toEqual([]);
    expect(chain.executor.validators(chain.view).hash).toEqual(before);
  });

  it("answers 16 at a time; who reads on leaves out what it has", async () => {
    const all = Array.from({ length: 20 }, (_, at) => misdeed(1 + at, at % 5));
    await chain.blockOf([], all.slice(0, 16));
    await chain.blockOf([], all.slice(16));
    expect(await list(0)).toEqual(all.slice(0, MAX_LISTED_EVIDENCE));
    expect(await list(0, 16)).toEqual(all.slice(16));
    expect(await list(16, 1)).toEqual(all.slice(16));
    expect(await list(0, MAX_SKIPPED_EVIDENCE)).toEqual([]);
    expect(await list(0, 2 ** 32 - 1)).toEqual([]);
  });

  it("a block of evidence alone has no receipts and uses no gas", async () => {
    const { receipts, gasUsed, writes } = await chain.blockOf([], [misdeed(1, 0)]);
    expect([receipts, gasUsed, writes.length]).toEqual([[], 0, 1]);
  });
});

describe("validators.recover", () => {
  const nonce = new Uint8Array(32).fill(7);
  const recover = (sender: Address) =>
    chain.run({
      contract: "validators",
      method: "recover",
      args: encode(recoverArgsCodec, { nonce }),
      signers: [sender],
    });

  it("puts the nonce of a validator into an event, and changes nothing", async () => {
    const [validator] = consortium.genesis.validators;
    if (validator === undefined) throw new Error("no validator");
    const before = [...chain.view.rows.keys()];
    const { status, events } = await recover(addressFromPublicKey(validator.publicKey));
    expect(status).toBe("SUCCESS");
    expect(events.map(({ topic }) => topic)).toEqual([VALIDATOR_RECOVERED_TOPIC]);
    const { nodeId } = validator;
    expect(decode(recoveredCodec, events[0]?.data ?? nonce)).toEqual({ nodeId, nonce });
    expect([...chain.view.rows.keys()]).toEqual(before);
  });

  it("is for validators in the list alone", async () => {
    const [admin] = consortium.admins;
    if (admin === undefined) throw new Error("no admin");
    expect((await recover(admin.address)).status).toBe("VM_ACCESS_DENIED");
    const [left] = consortium.genesis.validators;
    if (left === undefined) throw new Error("no validator");
    await chain.run({
      contract: "validators",
      method: "change",
      args: encode(changeValidatorsArgsCodec, { add: [], remove: [left.nodeId] }),
      signers: consortium.admins.slice(0, 3).map(({ address }) => address),
    });
    const { status } = await recover(addressFromPublicKey(left.publicKey));
    expect(status).toBe("VALIDATORS_NOT_A_VALIDATOR");
  });
});
