import { sm3 } from "@credlink/crypto";
import {
  type ChangeValidatorsArgs,
  changeValidatorsArgsCodec,
  contractVersionArgsCodec,
  enrollArgsCodec,
  installContractArgsCodec,
  type Parameters,
  parametersCodec,
  type Receipt,
  readyArgsCodec,
  registerRevocationListArgsCodec,
  setMemberStatusArgsCodec,
  setParametersArgsCodec,
} from "@credlink/ledger";
import { concatBytes, decode, digest, encode, height } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  acceptedFindingsCodec,
  contractListCodec,
  contractNameArgsCodec,
  getCodeArgsCodec,
  getContractArgsCodec,
  installedContractCodec,
  manifestCodec,
  noArgsCodec,
  packageDigestArgsCodec,
  validatorListCodec,
} from "../../src/index.ts";
import { assemble, i32, manifestOf, NAME } from "../support/assembler.ts";
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

let consortium: Consortium;
let chain: TestChain;
beforeAll(async () => {
  consortium = await createConsortium({ validators: 5 });
});
beforeEach(() => {
  chain = new TestChain(consortium.genesis);
});

function nth<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`no item ${index}`);
  return item;
}
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
      "VALIDATORS_MAJORITY_MISSING",
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
    expect((await set(testParameters, admins(2))).status).toBe("PARAMETERS_MAJORITY_MISSING");
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

describe("contracts", () => {
  const answer = (value: number) => [i32(0), i32(value), [0x36, 2, 0], i32(0), i32(4), [0x10, 0]];
  const build = (version: string, value: number) => ({
    name: NAME,
    version,
    code: assemble({
      imports: ["return_value"],
      functions: [{ name: "main", code: answer(value) }],
      version: `${NAME}@${version}`,
    }),
    manifest: encode(manifestCodec, manifestOf(["main"], { version })),
  });
  const codeDigestOf = (code: Uint8Array) => digest(sm3(code));
  const invoke = (method: string, args: Uint8Array, signers = admins(1)) =>
    chain.run({ contract: "contracts", method, args, signers });
  const install = (contract: ReturnType<typeof build>, signers = admins(1)) =>
    invoke("install", encode(installContractArgsCodec, contract), signers);
  const turn = (method: string, contract: ReturnType<typeof build>, signers = admins(1)) => {
    const { name, version, code } = contract;
    const args = { name, version, codeDigest: codeDigestOf(code) };
    return invoke(method, encode(contractVersionArgsCodec, args), signers);
  };
  /** Runs it in a block. The door must have said the same about contract and version. */
  const main = async (version: string, by: Holder = consortium.institution) => {
    const judged = chain.executor.judgeCall(chain.view, {
      contract: NAME,
      contractVersion: version,
    });
    const call = { contract: NAME, version, method: "main", signers: [by.address] };
    const receipt = await chain.run(call);
    const isOfDoor = /^VM_(?:CONTRACT|VERSION)_/.test(receipt.status);
    expect(judged).toBe(isOfDoor ? receipt.status : null);
    return receipt;
  };

  it("live from installation over approval, start and upgrade to their stop", async () => {
    const first = build("1.0.0", 1);
    const second = build("1.1.0", 2);
    expect((await main("1.0.0")).status).toBe("VM_CONTRACT_UNKNOWN");
    expect((await install(first)).status).toBe("SUCCESS");
    expect((await main("1.0.0")).status).toBe("VM_CONTRACT_STOPPED");
    expect((await main("2.0.0")).status).toBe("VM_VERSION_UNKNOWN");
    expect((await turn("start", first)).status).toBe("CONTRACTS_NOT_APPROVED");
    expect((await turn("approve", first, [nth(admins(2), 1)])).status).toBe("SUCCESS");
    expect((await turn("start", first)).status).toBe("CONTRACTS_NOT_APPROVED");
    expect((await turn("approve", first, [nth(admins(3), 2)])).status).toBe("SUCCESS");
    expect((await turn("start", first)).status).toBe("SUCCESS");
    expect((await main("1.0.0")).returnValue[0]).toBe(1);
    expect((await install(second, admins(3))).status).toBe("SUCCESS");
    expect((await turn("start", second)).status).toBe("SUCCESS");
    expect((await main("1.0.0")).status).toBe("VM_CONTRACT_STOPPED");
    expect((await main("1.1.0")).returnValue[0]).toBe(2);
    expect((await turn("stop", second, admins(3))).status).toBe("SUCCESS");
    expect((await main("1.1.0")).status).toBe("VM_CONTRACT_STOPPED");
    expect((await turn("stop", second, admins(3))).status).toBe("CONTRACTS_NOT_STARTED");
  });

  const stateOf = async (version: string) => {
    const args = encode(getContractArgsCodec, { name: NAME, version });
    const call = { contract: "contracts", method: "get", args, signers: admins(1) };
    return decode(installedContractCodec, (await chain.query(call)).returnValue);
  };
  const admin = (index: number) => [nth(admins(index + 1), index)];

  it("T-4.9.6-b: stop by votes of admins, one after the other", async () => {
    const contract = build("1.0.0", 1);
    await install(contract, admins(3));
    await turn("start", contract);
    expect((await turn("stop", contract, admin(0))).status).toBe("SUCCESS");
    expect((await turn("stop", contract, admin(0))).status).toBe("CONTRACTS_ALREADY_APPROVED");
    expect((await turn("stop", contract, admin(1))).status).toBe("SUCCESS");
    expect(await stateOf("1.0.0")).toMatchObject({
      state: "started",
      stopVotes: ["alpha", "beta"],
    });
    expect((await main("1.0.0")).status).toBe("SUCCESS");
    expect((await turn("stop", contract, admin(2))).status).toBe("SUCCESS");
    expect(await stateOf("1.0.0")).toMatchObject({
      state: "stopped",
      approvals: [],
      stopVotes: [],
    });
    expect((await main("1.0.0")).status).toBe("VM_CONTRACT_STOPPED");
    expect((await turn("start", contract)).status).toBe("CONTRACTS_NOT_APPROVED");
    await turn("approve", contract, admins(3));
    expect((await turn("start", contract)).status).toBe("SUCCESS");
    expect((await main("1.0.0")).status).toBe("SUCCESS");
  });

  it("S-9.9-3c: install only versions above all installed ones", async () => {
    await install(build("1.2.0", 1));
    for (const version of ["1.1.9", "1.2.0", "0.9.9"]) {
      const code = version === "1.2.0" ? "CONTRACTS_VERSION_EXISTS" : "CONTRACTS_VERSION_OLD";
      expect((await install(build(version, 1))).status).toBe(code);
    }
    expect((await install(build("1.10.0", 1))).status).toBe("SUCCESS");
    expect((await install(build("1.9.0", 1))).status).toBe("CONTRACTS_VERSION_OLD");
  });

  it("S-9.9-3d, S-9.9-1f: are still queried by name once superseded, and no admin goes back alone", async () => {
    const view = [{ name: "main", readOnly: true, roles: ["admin" as const] }];
    const versions = ["1.0.0", "2.0.0"].map((version, index) => ({
      ...build(version, index + 1),
      manifest: encode(manifestCodec, manifestOf(view, { version })),
    }));
    const [first, second] = [nth(versions, 0), nth(versions, 1)];
    for (const each of versions) {
      await install(each, admins(3));
      await turn("start", each);
    }
    const ask = (version: string) =>
      chain.query({ contract: NAME, version, method: "main", signers: admins(1) });
    expect((await stateOf("1.0.0")).state).toBe("superseded");
    expect((await ask("1.0.0")).returnValue[0]).toBe(1);
    expect((await ask("2.0.0")).returnValue[0]).toBe(2);
    const call = { contract: NAME, version: "1.0.0", method: "main", signers: admins(1) };
    expect((await chain.run(call)).status).toBe("VM_CONTRACT_STOPPED");
    expect((await turn("start", first)).status).toBe("CONTRACTS_NOT_APPROVED");
    await turn("stop", second, admins(3));
    expect((await ask("1.0.0")).status).toBe("VM_CONTRACT_STOPPED");
  });

  it("freeze at a regulator's word, which no majority lifts", async () => {
    const contract = build("1.0.0", 1);
    const next = build("1.1.0", 2);
    const turnName = (method: string, signers = [consortium.regulator.address]) =>
      invoke(method, encode(contractNameArgsCodec, { name: NAME }), signers);
    expect((await turnName("freeze")).status).toBe("CONTRACTS_NOT_STARTED");
    await install(contract, admins(3));
    await turn("start", contract);
    await install(next, admins(3));
    expect((await turnName("freeze", admins(5))).status).toBe("VM_ACCESS_DENIED");
    expect((await turnName("unfreeze")).status).toBe("CONTRACTS_NOT_FROZEN");
    expect((await turnName("freeze")).status).toBe("SUCCESS");
    expect((await turnName("freeze")).status).toBe("CONTRACTS_FROZEN");
    expect((await main("1.0.0")).status).toBe("VM_CONTRACT_FROZEN");
    for (const [method, which] of [
      ["start", next],
      ["stop", contract],
    ] as const) {
      expect((await turn(method, which, admins(5))).status).toBe("CONTRACTS_FROZEN");
    }
    expect((await turnName("unfreeze")).status).toBe("SUCCESS");
    expect((await main("1.0.0")).status).toBe("SUCCESS");
  });

  it("S-9.9-5a: findings in a package are accepted by more than half of the organisations", async () => {
    const args = encode(packageDigestArgsCodec, { packageDigest: codeDigestOf(new Uint8Array(3)) });
    const read = async () => {
      const call = { contract: "contracts", method: "findings", args, signers: admins(1) };
      return decode(acceptedFindingsCodec, (await chain.query(call)).returnValue);
    };
    expect(await read()).toEqual({ organizations: [], isAccepted: false });
    await invoke("acceptFindings", args, admin(0));
    expect((await invoke("acceptFindings", args, admin(0))).status).toBe(
      "CONTRACTS_ALREADY_APPROVED",
    );
    await invoke("acceptFindings", args, admin(1));
    expect((await read()).isAccepted).toBe(false);
    await invoke("acceptFindings", args, admin(2));
    expect(await read()).toEqual({ organizations: ["alpha", "beta", "gamma"], isAccepted: true });
  });

  it("stay readable in every version", async () => {
    const contract = build("1.0.0", 1);
    await install(contract, admins(3));
    const read = (method: string, args: Uint8Array) =>
      chain.query({ contract: "contracts", method, args, signers: admins(1) });
    const got = await read("get", encode(getContractArgsCodec, { name: NAME, version: "1.0.0" }));
    expect(decode(installedContractCodec, got.returnValue)).toMatchObject({
      codeDigest: codeDigestOf(contract.code),
      state: "installed",
      approvals: ["alpha", "beta", "gamma"],
    });
    const place = { name: NAME, version: "1.0.0" };
    const part = async (offset: number, length: number) =>
      (await read("code", encode(getCodeArgsCodec, { ...place, offset, length }))).returnValue;
    const rest = contract.code.length - 10;
    expect(concatBytes(await part(0, 10), await part(10, rest))).toEqual(contract.code);
    const beyond = encode(getCodeArgsCodec, { ...place, offset: 10, length: rest + 1 });
    expect((await read("code", beyond)).status).toBe("CONTRACTS_RANGE_INVALID");
    const { length } = contract.manifest;
    const whole = await read("manifest", encode(getCodeArgsCodec, { ...place, offset: 0, length }));
    expect(whole.returnValue).toEqual(contract.manifest);
    const listed = await read("list", encode(noArgsCodec, {}));
    expect(decode(contractListCodec, listed.returnValue)).toEqual([
      { name: NAME, versions: ["1.0.0"], started: null },
    ]);
    const started = encode(getContractArgsCodec, { name: NAME, version: null });
    expect((await read("get", started)).status).toBe("CONTRACTS_NOT_INSTALLED");
  });

  it("refuse what does not fit", async () => {
    const contract = build("1.0.0", 1);
    expect((await install({ ...contract, name: "members" })).status).toBe("CONTRACTS_NAME_INVALID");
    expect((await install({ ...contract, version: "1.0" })).status).toBe("CONTRACTS_NAME_INVALID");
    expect((await install({ ...contract, version: "2.0.0" })).status).toBe("VM_MODULE_MANIFEST");
    expect((await install({ ...contract, manifest: Uint8Array.of(1) })).status).toBe(
      "VM_MODULE_MANIFEST",
    );
    expect((await install({ ...contract, code: build("1.0.1", 1).code })).status).toBe(
      "VM_MODULE_VERSION",
    );
    expect((await turn("approve", contract)).status).toBe("CONTRACTS_NOT_INSTALLED");
    await install(contract);
    expect((await install(contract)).status).toBe("CONTRACTS_VERSION_EXISTS");
    expect((await turn("approve", contract)).status).toBe("CONTRACTS_ALREADY_APPROVED");
    const other = { ...contract, code: build("1.0.1", 1).code };
    expect((await turn("approve", other, admins(3))).status).toBe("CONTRACTS_DIGEST_WRONG");
    await turn("approve", contract, admins(3));
    await turn("start", contract);
    expect((await turn("start", contract)).status).toBe("CONTRACTS_ALREADY_STARTED");
  });

  it("are queried in the started version when a query names none; transactions must", async () => {
    const contract = build("1.0.0", 1);
    const readOnly = [{ name: "main", readOnly: true, roles: ["admin" as const] }];
    const manifest = encode(manifestCodec, manifestOf(readOnly, { version: "1.0.0" }));
    await install({ ...contract, manifest }, admins(3));
    const call = { contract: NAME, version: "", method: "main", signers: admins(1) };
    expect((await chain.query(call)).status).toBe("VM_CONTRACT_STOPPED");
    await turn("start", contract);
    const answered = await chain.query(call);
    expect([answered.status, answered.returnValue[0]]).toEqual(["SUCCESS", 1]);
    expect((await chain.run(call)).status).toBe("VM_VERSION_UNKNOWN");
    const builtIn = { ...call, contract: "parameters", method: "get" };
    expect((await chain.query(builtIn)).status).toBe("SUCCESS");
  });

  it("deny methods to roles that the manifest does not name", async () => {
    const contract = build("1.0.0", 1);
    await install(contract, admins(3));
    await turn("start", contract);
    expect((await main("1.0.0", consortium.enterprise)).status).toBe("VM_ACCESS_DENIED");
    const unknown = { contract: NAME, version: "1.0.0", method: "other", signers: admins(1) };
    expect((await chain.run(unknown)).status).toBe("VM_METHOD_UNKNOWN");
  });
});
