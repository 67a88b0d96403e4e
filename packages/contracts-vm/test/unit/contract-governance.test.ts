import { sm3 } from "@credlink/crypto";
import {
  approveContractArgsCodec,
  contractVersionArgsCodec,
  installContractArgsCodec,
  type ScanDeclaration,
} from "@credlink/ledger";
import { concatBytes, decode, digest, encode } from "@credlink/primitives";
import fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  acceptedFindingsCodec,
  codeDigestArgsCodec,
  contractListCodec,
  contractNameArgsCodec,
  declaredScansCodec,
  declaredScansKey,
  getCodeArgsCodec,
  getContractArgsCodec,
  installedContractCodec,
  manifestCodec,
  noArgsCodec,
} from "../../src/index.ts";
import { assemble, i32, manifestOf, NAME } from "../support/assembler.ts";
import { TestChain } from "../support/chain.ts";
import { type Consortium, createConsortium, type Holder } from "../support/consortium.ts";
import { nth } from "../support/nth.ts";
import { cleanScan, scanWith } from "../support/scans.ts";

let consortium: Consortium;
let chain: TestChain;
beforeAll(async () => {
  consortium = await createConsortium({ validators: 5 });
});
beforeEach(() => {
  chain = new TestChain(consortium.genesis);
});

const admins = (count: number) => consortium.admins.slice(0, count).map(({ address }) => address);

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
  const install = (
    contract: ReturnType<typeof build>,
    signers = admins(1),
    scan: ScanDeclaration = cleanScan,
  ) => invoke("install", encode(installContractArgsCodec, { ...contract, scan }), signers);
  const approve = (
    { name, version, code }: ReturnType<typeof build>,
    signers = admins(1),
    scan: ScanDeclaration = cleanScan,
  ) => {
    const args = { name, version, codeDigest: codeDigestOf(code), scan };
    return invoke("approve", encode(approveContractArgsCodec, args), signers);
  };
  const turn = (method: string, contract: ReturnType<typeof build>, signers = admins(1)) => {
    if (method === "approve") return approve(contract, signers);
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
    const args = encode(codeDigestArgsCodec, { codeDigest: codeDigestOf(new Uint8Array(3)) });
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

  const accept = ({ code }: ReturnType<typeof build>, signers = admins(1)) =>
    invoke(
      "acceptFindings",
      encode(codeDigestArgsCodec, { codeDigest: codeDigestOf(code) }),
      signers,
    );
  const scansOf = (version: string) => {
    const value = chain.view.get("contracts", declaredScansKey(NAME, version));
    return value === null ? [] : decode(declaredScansCodec, value);
  };

  it("S-9.9-5a: whoever declares high findings does not install", async () => {
    const contract = build("1.0.0", 1);
    expect((await install(contract, admins(3), scanWith(1))).status).toBe(
      "CONTRACTS_FINDINGS_HIGH",
    );
    expect(scansOf("1.0.0")).toEqual([]);
    await accept(contract, admins(2));
    expect((await install(contract, admins(3), scanWith(1))).status).toBe(
      "CONTRACTS_FINDINGS_HIGH",
    );
    await accept(contract, admin(2));
    expect((await install(contract, admins(3), scanWith(1))).status).toBe("SUCCESS");
    expect((await turn("start", contract)).status).toBe("SUCCESS");
  });

  it("S-9.9-5a: high findings that one organisation declares keep a version from starting", async () => {
    const contract = build("1.0.0", 1);
    await install(contract, admins(3));
    expect((await approve(contract, admin(3), scanWith(2))).status).toBe("SUCCESS");
    expect((await turn("start", contract)).status).toBe("CONTRACTS_FINDINGS_HIGH");
    // Nor does another word of those without findings change that.
    expect((await approve(contract, admin(2), scanWith(0, 9))).status).toBe("SUCCESS");
    expect((await turn("start", contract)).status).toBe("CONTRACTS_FINDINGS_HIGH");
    await accept(build("1.1.0", 2), admins(4));
    expect((await turn("start", contract)).status).toBe("CONTRACTS_FINDINGS_HIGH");
    await accept(contract, admins(3));
    expect((await turn("start", contract)).status).toBe("SUCCESS");
  });

  it("S-9.9-5a: nor does an approval without findings outweigh those of the others", async () => {
    const contract = build("1.0.0", 1);
    await install(contract, admin(0));
    await approve(contract, admin(1), scanWith(1));
    await approve(contract, admin(2), scanWith(1));
    expect((await turn("start", contract)).status).toBe("CONTRACTS_FINDINGS_HIGH");
    // Corrected declarations take the place of the ones before.
    await approve(contract, admin(1));
    expect((await turn("start", contract)).status).toBe("CONTRACTS_FINDINGS_HIGH");
    await approve(contract, admin(2));
    expect((await turn("start", contract)).status).toBe("SUCCESS");
  });

  it("S-9.9-5a: what each organisation declared last stays readable", async () => {
    const contract = build("1.0.0", 1);
    await install(contract, admins(2));
    expect((await approve(contract, admin(0))).status).toBe("CONTRACTS_ALREADY_APPROVED");
    expect((await approve(contract, admin(0), scanWith(0, 9))).status).toBe("SUCCESS");
    await approve(contract, admin(2), scanWith(3));
    expect(scansOf("1.0.0").map(({ organization, high }) => [organization, high])).toEqual([
      ["beta", 0],
      ["alpha", 0],
      ["gamma", 3],
    ]);
    expect((await stateOf("1.0.0")).approvals).toEqual(["alpha", "beta", "gamma"]);
  });

  it("S-9.9-5a: it starts where a majority approves that found nothing high, or accepts it", async () => {
    const act = fc.record({
      by: fc.integer({ min: 0, max: 3 }),
      high: fc.constantFrom(0, 0, 1),
      kind: fc.constantFrom("approve", "approve", "accept"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), async (acts) => {
        chain = new TestChain(consortium.genesis);
        const contract = build("1.0.0", 1);
        await install(contract, admin(0));
        const declared = new Map([[0, 0]]);
        const accepting = new Set<number>();
        for (const { by, high, kind } of acts) {
          if (kind === "accept") accepting.add(by);
          else declared.set(by, high);
          await (kind === "accept"
            ? accept(contract, admin(by))
            : approve(contract, admin(by), scanWith(high)));
        }
        const isHigh = [...declared.values()].some((high) => high > 0);
        const expected =
          declared.size < 3
            ? "CONTRACTS_NOT_APPROVED"
            : isHigh && accepting.size < 3
              ? "CONTRACTS_FINDINGS_HIGH"
              : "SUCCESS";
        expect((await turn("start", contract)).status).toBe(expected);
      }),
      { numRuns: 40 },
    );
  });

  it("S-9.9-5a: a stopped version needs approvals anew, and what was declared before is none", async () => {
    const contract = build("1.0.0", 1);
    await install(contract, admins(3));
    await turn("start", contract);
    await turn("stop", contract, admins(3));
    expect((await turn("start", contract)).status).toBe("CONTRACTS_NOT_APPROVED");
    await approve(contract, admins(2));
    expect((await turn("start", contract)).status).toBe("CONTRACTS_NOT_APPROVED");
    expect((await approve(contract, admin(2), scanWith(1))).status).toBe("SUCCESS");
    expect((await turn("start", contract)).status).toBe("CONTRACTS_FINDINGS_HIGH");
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
