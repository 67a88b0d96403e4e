import {
  type ChangeValidatorsArgs,
  changeValidatorsArgsCodec,
  enrollArgsCodec,
  type Parameters,
  parametersCodec,
  type Receipt,
  readyArgsCodec,
  registerRevocationListArgsCodec,
  setMemberStatusArgsCodec,
  setParametersArgsCodec,
} from "@credlink/ledger";
import { decode, encode, height } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { noArgsCodec, validatorListCodec } from "../../src/index.ts";
import { ancestorAt, TestChain, transactionOf } from "../support/chain.ts";
import {
  type Consortium,
  createConsortium,
  DAY_MS,
  GENESIS_MS,
  type Holder,
  issue,
  issueList,
  testParameters,
} from "../support/consortium.ts";
import { nth } from "../support/nth.ts";

let consortium: Consortium;
let chain: TestChain;
beforeAll(async () => {
  consortium = await createConsortium({ validators: 5 });
});
beforeEach(() => {
  chain = new TestChain(consortium.genesis);
});

const admins = (count: number) => consortium.admins.slice(0, count).map(({ address }) => address);
const validatorNames = () =>
  chain.executor.validators(chain.view).validators.map(({ nodeId }) => nodeId);

describe("validators.change", () => {
  const change = (args: Partial<ChangeValidatorsArgs>, signers = admins(3)): Promise<Receipt> =>
    chain.run({
      contract: "validators",
      method: "change",
      args: encode(changeValidatorsArgsCodec, { add: [], remove: [], ...args }),
      signers,
    });
  const addition = async (nodeId: string, role: "validator" | "observer" = "validator") => {
    const node = await issue(nth(consortium.organizations, 0), role, nodeId);
    const peerId = `peer-of-${node.certificate.serialNumber}`;
    return { node, change: { nodeId, peerId, certificate: node.certificate.der } };
  };
  const enroll = ({ certificate }: Holder) =>
    chain.run({
      contract: "members",
      method: "enroll",
      args: encode(enrollArgsCodec, { certificates: [certificate.der] }),
      signers: admins(1),
    });
  const ready = (node: Holder, at: number = chain.view.height, digest = ancestorAt(at)) =>
    chain.run({
      contract: "validators",
      method: "ready",
      args: encode(readyArgsCodec, { height: height(at), digest }),
      signers: [node.address],
    });
  /** A node that is a member and has just said that it follows. */
  const readyAddition = async (nodeId: string) => {
    const made = await addition(nodeId);
    expect((await enroll(made.node)).status).toBe("SUCCESS");
    expect((await ready(made.node)).status).toBe("SUCCESS");
    return made;
  };

  it("adds and removes by a majority of organisations", async () => {
    const joiner = await readyAddition("node-5");
    expect((await change({ add: [joiner.change] })).status).toBe("SUCCESS");
    expect(validatorNames()).toEqual(["node-0", "node-1", "node-2", "node-3", "node-4", "node-5"]);
    expect((await change({ remove: ["node-2"] })).status).toBe("SUCCESS");
    expect(validatorNames()).not.toContain("node-2");
    const listed = await chain.query({
      contract: "validators",
      method: "list",
      args: encode(noArgsCodec, {}),
      signers: admins(1),
    });
    expect(decode(validatorListCodec, listed.returnValue)).toHaveLength(5);
  });

  it("refuses half of the organisations, however many admins sign", async () => {
    const [alpha] = consortium.organizations;
    if (alpha === undefined) throw new Error("no organisation");
    expect((await change({ remove: ["node-0"] }, admins(2))).status).toBe(
      "GOVERNANCE_VOTES_MISSING",
    );
  });

  it("permits max(1, f) changes a block and no more, over all transactions", async () => {
    const args = (name: string) =>
      transactionOf({
        contract: "validators",
        method: "change",
        args: encode(changeValidatorsArgsCodec, { add: [], remove: [name] }),
        signers: admins(3),
      });
    const { receipts } = await chain.block(args("node-0"), args("node-1"));
    expect(receipts.map(({ status }) => status)).toEqual([
      "SUCCESS",
      "VALIDATORS_TOO_MANY_CHANGES",
    ]);
  });

  it("never leaves fewer than four", async () => {
    await change({ remove: ["node-0"] });
    expect((await change({ remove: ["node-1"] })).status).toBe("VALIDATORS_TOO_FEW");
  });

  it("is refused by a solo chain, whoever asks for what", async () => {
    const validators = consortium.genesis.validators.slice(0, 1);
    chain = new TestChain({ ...consortium.genesis, validators, consensus: "solo" });
    expect((await change({ remove: ["node-0"] })).status).toBe("VALIDATORS_SOLO");
    const joiner = await readyAddition("node-5");
    expect((await change({ add: [joiner.change] })).status).toBe("VALIDATORS_SOLO");
    expect(validatorNames()).toEqual(["node-0"]);
  });

  it("refuses unknown, empty, duplicate and wrongly certified changes", async () => {
    expect((await change({ remove: ["node-9"] })).status).toBe("VALIDATORS_UNKNOWN");
    expect((await change({})).status).toBe("VALIDATORS_NOTHING_TO_DO");
    const joiner = await readyAddition("node-5");
    const known = { ...joiner.change, peerId: "peer-1" };
    expect((await change({ add: [known] })).status).toBe("VALIDATORS_DUPLICATE");
    const observer = await addition("node-5", "observer");
    expect((await change({ add: [observer.change] })).status).toBe("VALIDATORS_CERTIFICATE");
    const renamed = { ...joiner.change, nodeId: "node-6" };
    expect((await change({ add: [renamed] })).status).toBe("VALIDATORS_CERTIFICATE");
    const malformed = { nodeId: "node-5", peerId: "p", certificate: Uint8Array.of(1) };
    expect((await change({ add: [malformed] })).status).toBe("VALIDATORS_CERTIFICATE");
  });

  it("adds a node only within a hundred blocks of its word that it follows", async () => {
    const { node, change: add } = await addition("node-5");
    expect((await change({ add: [add] })).status).toBe("VALIDATORS_NOT_READY");
    await enroll(node);
    expect((await change({ add: [add] })).status).toBe("VALIDATORS_NOT_READY");
    const said = chain.view.height;
    expect((await ready(node, said)).status).toBe("SUCCESS");
    while (chain.view.height < said + 99) await chain.block();
    const before = chain.view;
    expect((await change({ add: [add] })).status).toBe("SUCCESS");
    // The same once more, one block later.
    chain.view = before;
    await chain.block();
    expect((await change({ add: [add] })).status).toBe("VALIDATORS_NOT_READY");
    expect((await ready(node)).status).toBe("SUCCESS");
    expect((await change({ add: [add] })).status).toBe("SUCCESS");
  });

  it("takes the word only of a validator's own key, about a recent block of this chain", async () => {
    const { node } = await addition("node-5");
    expect((await ready(node)).status).toBe("VM_SENDER_UNKNOWN");
    await enroll(node);
    while (chain.view.height < 105) await chain.block();
    const next = () => chain.view.height + 1;
    expect((await ready(node, next() - 100)).status).toBe("SUCCESS");
    expect((await ready(node, next() - 101)).status).toBe("VALIDATORS_READY_REFUSED");
    expect((await ready(node, next())).status).toBe("VALIDATORS_READY_REFUSED");
    const wrong = ancestorAt(next() - 2);
    expect((await ready(node, next() - 1, wrong)).status).toBe("VALIDATORS_READY_REFUSED");
    const [admin] = consortium.admins;
    if (admin === undefined) throw new Error("no admin");
    expect((await ready(admin)).status).toBe("VM_ACCESS_DENIED");
    const observer = await addition("node-7", "observer");
    await enroll(observer.node);
    expect((await ready(observer.node)).status).toBe("VM_ACCESS_DENIED");
  });

  it("an older word does not take the place of a later one", async () => {
    const { node, change: add } = await readyAddition("node-5");
    const said = chain.view.height;
    expect((await ready(node, said)).status).toBe("SUCCESS");
    expect((await ready(node, said - 2)).status).toBe("SUCCESS");
    while (chain.view.height < said + 99) await chain.block();
    expect((await change({ add: [add] })).status).toBe("SUCCESS");
  });

  it("counts another key for the same node as one change", async () => {
    const again = await readyAddition("node-2");
    const rekeyed = { add: [again.change], remove: ["node-2"] };
    expect((await change(rekeyed)).status).toBe("SUCCESS");
    expect(validatorNames()).toEqual(["node-0", "node-1", "node-3", "node-4", "node-2"]);
    const other = await readyAddition("node-8");
    const two = { add: [other.change], remove: ["node-2"] };
    expect((await change(two)).status).toBe("VALIDATORS_TOO_MANY_CHANGES");
  });

  it("removes a validator whose certificate is revoked, in the same transition", async () => {
    const [alpha] = consortium.organizations;
    const [node] = consortium.validators;
    if (alpha === undefined || node === undefined) throw new Error("no validator");
    const list = await issueList(alpha, [node.certificate]);
    const receipt = await chain.run({
      contract: "members",
      method: "registerRevocationList",
      args: encode(registerRevocationListArgsCodec, { revocationList: list }),
      signers: admins(1),
    });
    expect(receipt.status).toBe("SUCCESS");
    expect(validatorNames()).toEqual(["node-1", "node-2", "node-3", "node-4"]);
  });

  it("keeps the fourth validator although its certificate is revoked", async () => {
    for (const index of [0, 1]) {
      const receipt = await chain.run({
        contract: "members",
        method: "setStatus",
        args: encode(setMemberStatusArgsCodec, {
          address: nth(consortium.validators, index).address,
          status: "revoked",
        }),
        signers: [nth(consortium.admins, index).address],
      });
      expect(receipt.status).toBe("SUCCESS");
    }
    expect(validatorNames()).toEqual(["node-1", "node-2", "node-3", "node-4"]);
  });

  it("removes validators whose certificates expire, one a block", async () => {
    chain.timeMs = GENESIS_MS + 366 * DAY_MS;
    const { writes } = await chain.block();
    expect(writes).toHaveLength(1);
    expect(validatorNames()).toHaveLength(4);
    await chain.block();
    expect(validatorNames()).toHaveLength(4);
  });

  it("writes nothing in an empty block of a healthy network", async () => {
    expect((await chain.block()).writes).toEqual([]);
  });
});

describe("parameters", () => {
  const set = (parameters: Parameters, signers = admins(3)) =>
    chain.run({
      contract: "parameters",
      method: "set",
      args: encode(setParametersArgsCodec, { parameters }),
      signers,
    });

  it("change by a majority of organisations and count for the next block", async () => {
    const parameters = { ...testParameters, maxBlockTransactions: 77 };
    expect((await set(parameters)).status).toBe("SUCCESS");
    expect(chain.executor.parameters(chain.view)).toEqual(parameters);
    const read = await chain.query({ contract: "parameters", method: "get", signers: admins(1) });
    expect(decode(parametersCodec, read.returnValue)).toEqual(parameters);
  });

  it("refuse half of the organisations, and values that would stop the chain", async () => {
    expect((await set(testParameters, admins(2))).status).toBe("GOVERNANCE_VOTES_MISSING");
    for (const change of [
      { transactionGasLimit: 4_999_999 },
      { blockGasLimit: testParameters.transactionGasLimit - 1 },
      { maxBlockTransactions: 0 },
      { maxBlockTransactions: 10_001 },
      { maxBlockBytes: 1_000 },
      { precisionMs: 0 },
    ]) {
      const receipt = await set({ ...testParameters, ...change });
      expect(receipt.status, JSON.stringify(change)).toBe("PARAMETERS_INVALID");
    }
  });
});
