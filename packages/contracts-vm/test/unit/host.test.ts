import { generateKeyPair, publicKeyFromPrivate, sm2Sign, sm3 } from "@credlink/crypto";
import { getMemberArgsCodec, memberCodec } from "@credlink/ledger";
import { concatBytes, decode, encode, utf8, utf8ToText } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { contractIdentity } from "../../src/call.ts";
import { encodeIdentities } from "../../src/host.ts";
import { identitiesCodec, identityCodec } from "../../src/index.ts";
import { statePageCodec } from "../../src/state-page.ts";
import type { HostImport } from "../../src/wasm/host-imports.ts";
import {
  assemble,
  type Code,
  call,
  contractOf,
  get,
  I32,
  i32,
  i64,
  manifestOf,
  NAME,
  set,
  VERSION,
} from "../support/assembler.ts";
import { TestChain, transactionOf } from "../support/chain.ts";
import { type Consortium, createConsortium, GENESIS_MS } from "../support/consortium.ts";
import { type ProbeOptions, probe } from "../support/probe.ts";

let consortium: Consortium;
beforeAll(async () => {
  consortium = await createConsortium();
});

const DROP = 0x1a;
const OUTSIDE = 65_536;

/** `main` with the given host functions, numbered in their order, and bytes at address 1024. */
function host(
  imports: readonly HostImport[],
  code: Code,
  options: ProbeOptions & { readonly data?: Uint8Array } = {},
) {
  const data = options.data === undefined ? [] : [[1024, options.data] as const];
  return probe(consortium, code, {
    ...options,
    module: { ...options.module, imports, data: [...data] },
  });
}

/** Copies the host's last result to address 0 and returns it. Needs local 0. */
function returnBuffer(produce: Code, bufferRead: number, returnValue: number): Code {
  return [produce, set(0), i32(0), call(bufferRead), i32(0), get(0), call(returnValue)];
}
const LOCAL = [[1, I32]] as const;
const zeroPoint = new Uint8Array(64);

function numberBytes(value: number): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? value : 0));
}

it("signers are encoded as their codec would, however many they are", () => {
  const identities = Array.from({ length: 64 }, (_, at) => ({
    ...contractIdentity(`organisation-${at}`),
    role: "x".repeat(at),
  }));
  for (const count of [0, 1, 2, 15, 16, 17, 64]) {
    const some = identities.slice(0, count);
    expect(encodeIdentities(some)).toEqual(encode(identitiesCodec, some));
  }
});

describe("the host interface", () => {
  it("hands over arguments and takes the last return value", async () => {
    const receipt = await host(
      ["input_size", "input_read", "return_value"],
      [i32(0), call(1), i32(0), i32(1), call(2), i32(0), call(0), call(2)],
      { args: utf8("hello") },
    );
    expect(utf8ToText(receipt.returnValue)).toBe("hello");
  });

  it("puts, gets and deletes state of the contract's own", async () => {
    // put k = v, get it, delete it, get it again: lengths go to 8 and 12.
    const receipt = await host(
      ["state_put", "state_get", "state_delete", "return_value"],
      [
        i32(1024),
        i32(1),
        i32(1025),
        i32(3),
        call(0),
        i32(8),
        i32(1024),
        i32(1),
        call(1),
        0x36,
        2,
        0,
        i32(1024),
        i32(1),
        call(2),
        i32(12),
        i32(1024),
        i32(1),
        call(1),
        0x36,
        2,
        0,
        i32(8),
        i32(8),
        call(3),
      ],
      { data: utf8("kval") },
    );
    expect([...receipt.returnValue]).toEqual([3, 0, 0, 0, 255, 255, 255, 255]);
  });

  it("reads back what was put, in a later block", async () => {
    const put: Code = [i32(1024), i32(1), i32(1025), i32(3), call(0)];
    const read = returnBuffer([i32(1024), i32(1), call(1)], 2, 3);
    const module = assemble({
      imports: ["state_put", "state_get", "buffer_read", "return_value"],
      functions: [
        { name: "put", code: put },
        { name: "read", locals: LOCAL, code: read },
      ],
      data: [[1024, utf8("kval")]],
    });
    const manifest = manifestOf(["put", { name: "read", readOnly: true, roles: ["institution"] }]);
    const chain = new TestChain({
      ...consortium.genesis,
      contracts: [contractOf(module, manifest)],
    });
    const base = { contract: NAME, version: VERSION, signers: [consortium.institution.address] };
    expect(await chain.run({ ...base, method: "put" })).toMatchObject({ status: "SUCCESS" });
    const receipt = await chain.query({ ...base, method: "read" });
    expect(utf8ToText(receipt.returnValue)).toBe("val");
  });

  it("lists a range in order over what was committed, changed and deleted", async () => {
    const put = (key: number): Code => [i32(key), i32(1), i32(1024), i32(1), call(0)];
    const range = returnBuffer([i32(1024), i32(1), i32(1029), i32(1), i32(256), call(2)], 3, 4);
    const module = assemble({
      imports: ["state_put", "state_delete", "state_range", "buffer_read", "return_value"],
      functions: [
        { name: "put", code: [put(1026), put(1024), put(1027), put(1025)] },
        {
          name: "list",
          locals: LOCAL,
          code: [i32(1025), i32(1), call(1), put(1028), put(1026), range],
        },
      ],
      data: [[1024, utf8("abcdef")]],
    });
    const manifest = manifestOf(["put", "list"]);
    const chain = new TestChain({
      ...consortium.genesis,
      contracts: [contractOf(module, manifest)],
    });
    const base = { contract: NAME, version: VERSION, signers: [consortium.institution.address] };
    await chain.run({ ...base, method: "put" });
    const before = chain.view;
    const first = await chain.run({ ...base, method: "list" });
    const { entries } = decode(statePageCodec, first.returnValue);
    const keys = entries.map(({ key }) => utf8ToText(key));
    expect(keys).toEqual(["a", "c", "d", "e"]);
    expect(before.loads).toBe(1);
    // A node that has the range loaded already comes to the same gas.
    const context = { ...chain.context(), height: before.height };
    const again = await chain.executor.execute(before, context, [
      transactionOf({ ...base, method: "list" }),
    ]);
    expect(before.loads).toBe(1);
    expect(again.receipts[0]?.gasUsed).toBe(first.gasUsed);
  });

  it("ends a call with the contract's own code and keeps nothing", async () => {
    const receipt = await host(
      ["revert", "state_put", "event"],
      [
        i32(1024),
        i32(1),
        i32(1024),
        i32(1),
        call(1),
        i32(1024),
        i32(1),
        i32(1024),
        i32(1),
        call(2),
        i32(1024),
        i32(10),
        i32(1034),
        i32(2),
        call(0),
      ],
      { data: utf8("CREDENTIALno") },
    );
    expect(receipt).toMatchObject({ status: "CREDENTIAL", events: [] });
    expect(receipt.returnValue.length).toBe(0);
  });

  it("lets a refusal pay for all that ran before it", async () => {
    const revert = [i32(1024), i32(4), i32(0), i32(0), call(0)];
    const run = async (writes: number) => {
      const write = [i32(1024), i32(1), i32(1024), i32(1), call(1)];
      const code = [...Array.from({ length: writes }, () => write).flat(), ...revert];
      return host(["revert", "state_put"], code, { data: utf8("CODE") });
    };
    const [none, one, three] = [await run(0), await run(1), await run(3)];
    expect(three.status).toBe("CODE");
    // Each write takes 8,000, 20 for each of its two bytes, four constants and a call.
    expect(one.gasUsed - none.gasUsed).toBe(8_000 + 40 + 4 + 8);
    expect(three.gasUsed - none.gasUsed).toBe(3 * (8_000 + 40 + 4 + 8));
  });

  it.each(["SUCCESS", "VM_OUT_OF_GAS", "LEDGER_X", "lower", "AB", "A-B"])(
    "refuses %s as a contract's own code",
    async (code) => {
      const receipt = await host(
        ["revert"],
        [i32(1024), i32(code.length), i32(0), i32(0), call(0)],
        { data: utf8(code) },
      );
      expect(receipt.status).toBe("VM_HOST_ARGUMENT");
    },
  );

  it("emits events under the contract's name", async () => {
    const receipt = await host(["event"], [i32(1024), i32(5), i32(1029), i32(4), call(0)], {
      data: utf8("topicdata"),
    });
    expect(receipt.events).toEqual([{ contract: NAME, topic: "topic", data: utf8("data") }]);
  });

  it("names caller and signers", async () => {
    const caller = await host(
      ["caller", "buffer_read", "return_value"],
      returnBuffer(call(0), 1, 2),
      { locals: LOCAL },
    );
    const { address } = consortium.institution;
    const sender = { address, role: "institution", organization: "alpha" };
    expect(decode(identityCodec, caller.returnValue)).toEqual(sender);
    const signers = await host(
      ["signers", "buffer_read", "return_value"],
      returnBuffer(call(0), 1, 2),
      { locals: LOCAL },
    );
    expect(decode(identitiesCodec, signers.returnValue)).toEqual([sender]);
  });

  it("gives the block's height and time, never a clock's", async () => {
    const receipt = await host(
      ["block_height", "block_time", "return_value"],
      [i32(0), call(0), 0x37, 3, 0, i32(8), call(1), 0x37, 3, 0, i32(0), i32(16), call(2)],
    );
    const view = new DataView(receipt.returnValue.slice().buffer);
    expect(view.getBigUint64(0, true)).toBe(1n);
    expect(view.getBigUint64(8, true)).toBe(BigInt(GENESIS_MS + 1_000));
  });

  it("digests with SM3", async () => {
    const receipt = await host(
      ["sm3", "return_value"],
      [i32(1024), i32(3), i32(64), call(0), i32(64), i32(32), call(1)],
      { data: utf8("abc") },
    );
    expect(receipt.returnValue).toEqual(sm3(utf8("abc")));
  });

  it("verifies SM2 signatures", async () => {
    const { privateKey, publicKey } = generateKeyPair();
    const message = utf8("message");
    const good = sm2Sign(privateKey, message);
    const bad = good.slice();
    bad[0] = (bad[0] ?? 0) ^ 1;
    for (const [signature, expected] of [
      [good, 1],
      [bad, 0],
    ] as const) {
      const receipt = await host(
        ["sm2_verify", "return_value"],
        [
          i32(0),
          i32(1024),
          i32(1089),
          i32(7),
          i32(1096),
          call(0),
          0x36,
          2,
          0,
          i32(0),
          i32(4),
          call(1),
        ],
        { data: concatBytes(publicKey, message, signature) },
      );
      expect([...receipt.returnValue]).toEqual([expected, 0, 0, 0]);
      expect(receipt.gasUsed).toBeGreaterThan(400_000);
    }
  });

  const zeros = (count: number): Code => Array.from({ length: count }, () => i32(0));
  it.each<readonly [HostImport, string, Code]>([
    ["input_read", "arguments", [i32(OUTSIDE), call(0)]],
    ["return_value", "value", [i32(OUTSIDE), i32(1), call(0)]],
    ["return_value", "length", [i32(0), i32(-1), call(0)]],
    ["revert", "code", [i32(-1), i32(4), zeros(2), call(0)]],
    ["revert", "message", [i32(0), i32(0), i32(65_530), i32(7), call(0)]],
    ["state_get", "key", [i32(65_535), i32(2), call(0), DROP]],
    ["state_put", "value", [i32(0), i32(1), i32(0), i32(65_537), call(0)]],
    ["state_delete", "key", [i32(-1), i32(1), call(0)]],
    ["state_range", "end", [i32(0), i32(1), i32(-1), i32(1), i32(1), call(0), DROP]],
    ["event", "data", [i32(0), i32(1), i32(65_535), i32(2), call(0)]],
    ["sm3", "output", [i32(0), i32(1), i32(65_505), call(0)]],
    ["sm2_verify", "key", [i32(65_500), i32(0), i32(0), i32(0), call(0), DROP]],
    ["sm2_verify", "signature", [i32(0), i32(0), i32(0), i32(65_500), call(0), DROP]],
    ["contract_call", "name", [i32(-1), i32(1), zeros(4), i64(0), call(0), DROP]],
    ["contract_call", "args", [zeros(4), i32(-1), i32(1), i64(0), call(0), DROP]],
  ])("VM_HOST_POINTER: %s, %s", async (name, _what, code) => {
    const receipt = await host([name], code);
    expect(receipt.status).toBe("VM_HOST_POINTER");
  });

  it.each<readonly [string, HostImport, string, Code]>([
    ["VM_HOST_ARGUMENT", "state_get", "an empty key", [i32(0), i32(0), call(0), DROP]],
    ["VM_HOST_ARGUMENT", "state_get", "a key of 129 bytes", [i32(0), i32(129), call(0), DROP]],
    [
      "VM_HOST_ARGUMENT",
      "state_put",
      "a value too large",
      [i32(0), i32(1), i32(0), i32(65_537), call(0)],
    ],
    ["VM_HOST_ARGUMENT", "state_range", "no limit", [zeros(5), call(0), DROP]],
    ["VM_HOST_ARGUMENT", "state_range", "a limit of 257", [zeros(4), i32(257), call(0), DROP]],
    [
      "VM_HOST_ARGUMENT",
      "event",
      "a topic of 65 bytes",
      [i32(0), i32(65), i32(0), i32(0), call(0)],
    ],
    [
      "VM_HOST_ARGUMENT",
      "event",
      "a topic that is not UTF-8",
      [i32(1024), i32(1), i32(0), i32(0), call(0)],
    ],
    [
      "VM_EVENT_LIMIT",
      "event",
      "data of 4097 bytes",
      [i32(0), i32(1), i32(0), i32(4_097), call(0)],
    ],
    ["VM_RETURN_TOO_LARGE", "return_value", "16 KiB and a byte", [i32(0), i32(16_385), call(0)]],
    ["VM_HOST_ARGUMENT", "commitment_sum", "65 points", [i32(0), i32(64), i32(1), call(0), DROP]],
    ["VM_ABORT", "abort", "at all", [zeros(4), call(0)]],
    [
      "VM_CALL_FORBIDDEN",
      "contract_call",
      "a contract not named",
      [zeros(6), i64(0), call(0), DROP],
    ],
  ])("%s: %s, %s", async (status, name, _what, code) => {
    const options = { data: Uint8Array.of(0xff), module: { memory: [2, 16] as const } };
    const receipt = await host([name], code, options);
    expect(receipt.status).toBe(status);
  });

  it("sums points of the curve, and charges for each", async () => {
    const [one, two] = [1, 2].map((k) => publicKeyFromPrivate(numberBytes(k)).subarray(1));
    const points = concatBytes(one ?? zeroPoint, one ?? zeroPoint, two ?? zeroPoint, zeroPoint);
    const sum = async (at: number, plus: number, minus: number) => {
      const code = [i32(0), i32(at), i32(plus), i32(minus), call(0), 0x36, 2, 0];
      const answer = [...code, i32(0), i32(4), call(1)];
      const receipt = await host(["commitment_sum", "return_value"], answer, { data: points });
      const [first = 0] = new Int32Array(receipt.returnValue.slice().buffer);
      return { sum: first, gas: receipt.gasUsed };
    };
    expect((await sum(1024, 2, 1)).sum).toBe(1);
    expect((await sum(1024, 1, 2)).sum).toBe(0);
    expect((await sum(1024, 3, 0)).sum).toBe(0);
    expect((await sum(1024, 2, 2)).sum).toBe(-1);
    const none = await sum(1024, 0, 0);
    expect(none.sum).toBe(1);
    expect((await sum(1024, 2, 1)).gas - none.gas).toBe(3 * 64 * 96);
  });

  it("VM_EVENT_LIMIT: more than 64 events", async () => {
    const event: Code = [i32(0), i32(1), i32(0), i32(0), call(0)];
    const times = (count: number) =>
      host(
        ["event"],
        Array.from({ length: count }, () => event),
      );
    expect(await times(64)).toMatchObject({ status: "SUCCESS" });
    expect(await times(65)).toMatchObject({ status: "VM_EVENT_LIMIT" });
  });

  it.each<readonly [HostImport, Code]>([
    ["state_put", [i32(0), i32(1), i32(0), i32(0), call(0)]],
    ["state_delete", [i32(0), i32(1), call(0)]],
    ["event", [i32(0), i32(1), i32(0), i32(0), call(0)]],
  ])("VM_READ_ONLY: %s in a read-only method", async (name, code) => {
    const receipt = await host([name], code, { method: { readOnly: true } });
    expect(receipt.status).toBe("VM_READ_ONLY");
  });

  it("reads a member through the registry, for a contract without authority", async () => {
    const { address } = consortium.enterprise;
    const args = encode(getMemberArgsCodec, { address });
    const code = returnBuffer(
      [i32(1024), i32(7), i32(1031), i32(3), i32(1034), i32(args.length), i64(-1), call(0)],
      1,
      2,
    );
    const receipt = await host(["contract_call", "buffer_read", "return_value"], code, {
      locals: LOCAL,
      calls: ["members"],
      data: concatBytes(utf8("membersget"), args),
    });
    const member = decode(memberCodec, receipt.returnValue);
    expect(member).toMatchObject({ role: "enterprise", organization: "beta", status: "active" });
  });

  it("answers -1 and the status text when the called contract refuses", async () => {
    const args = encode(getMemberArgsCodec, { address: consortium.enterprise.address }).slice();
    args.fill(7, 10);
    const code: Code = [
      i32(1024),
      i32(7),
      i32(1031),
      i32(3),
      i32(1034),
      i32(args.length),
      i64(1_000_000),
      call(0),
      DROP,
      i32(0),
      call(1),
      i32(0),
      i32(17),
      call(2),
    ];
    const receipt = await host(["contract_call", "buffer_read", "return_value"], code, {
      calls: ["members"],
      data: concatBytes(utf8("membersget"), args),
    });
    expect(utf8ToText(receipt.returnValue)).toBe("MEMBERS_NOT_FOUND");
  });

  it("denies built-in methods that change state to contracts", async () => {
    const code: Code = [
      i32(1024),
      i32(7),
      i32(1031),
      i32(9),
      i32(0),
      i32(0),
      i64(1_000_000),
      call(0),
      DROP,
      i32(0),
      call(1),
      i32(0),
      i32(16),
      call(2),
    ];
    const receipt = await host(["contract_call", "buffer_read", "return_value"], code, {
      calls: ["members"],
      data: utf8("memberssetStatus"),
    });
    expect(utf8ToText(receipt.returnValue)).toBe("VM_ACCESS_DENIED");
  });
});
