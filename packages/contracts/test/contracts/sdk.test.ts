import { HOST_ABI } from "@credlink/contracts-vm";
import { sm2Sign, sm3 } from "@credlink/crypto";
import { memberCodec, type Receipt, SUCCESS } from "@credlink/ledger";
import { bytes, bytesUpTo, decode, encode, struct, utf8 } from "@credlink/primitives";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { fieldValueCodec } from "../../src/payload.ts";
import { compileContract } from "../../tools/compile.ts";
import { TestChain } from "../support/chain.ts";
import { createGenesis, keyOf, memberKeyOf } from "../support/consortium.ts";

const sender = memberKeyOf("institution");
const methods = ["echo", "skip", "state", "context", "member", "broken"];
let chain: TestChain;

beforeAll(async () => {
  const probe = await compileContract("assembly/probe.ts", {
    name: "probe",
    version: "1.0.0",
    abi: HOST_ABI,
    maxMemoryPages: 8,
    methods: methods.map((name) => ({ name, readOnly: false, roles: ["institution"] })),
    calls: ["members"],
  });
  const genesis = await createGenesis();
  const { code, manifest } = probe;
  const contracts = [...genesis.contracts, { name: "probe", version: "1.0.0", code, manifest }];
  chain = await TestChain.open({ ...genesis, contracts });
});

function run(method: string, args: Uint8Array): Promise<Receipt> {
  return chain.run({ sender, contract: "probe", version: "1.0.0", method, args });
}

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const u32 = fc.oneof(fc.nat(300), fc.nat(70_000), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const text = fc
  .string({ unit: "binary", maxLength: 300 })
  .filter((value) => utf8(value).length <= 1_000);
const echoed = fc.tuple(
  u32,
  u64,
  fc.boolean(),
  text,
  fc.uint8Array({ maxLength: 400 }),
  fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 })),
  fc.array(u32, { maxLength: 40 }),
);

describe("the contract SDK", () => {
  it("reads and writes the canonical encoding byte for byte", async () => {
    await fc.assert(
      fc.asyncProperty(echoed, async (value) => {
        const args = encode(fieldValueCodec, value);
        const { status, returnValue } = await run("echo", args);
        expect(status).toBe(SUCCESS);
        expect(returnValue).toEqual(args);
      }),
      { numRuns: 60 },
    );
  });

  it("refuses what is not canonical or cut off, and never traps", async () => {
    const value = [200, 5n, true, "ab", utf8("x"), null, [1]] as const;
    const args = encode(fieldValueCodec, value);
    for (let length = 0; length < args.length; length++) {
      expect((await run("echo", args.slice(0, length))).status).toBe("PROBE_MALFORMED");
    }
    const long = Uint8Array.from([0x97, 0xcd, 0x00, 0xc8, ...args.slice(3)]);
    expect((await run("echo", long)).status).toBe("PROBE_MALFORMED");
    expect((await run("echo", Uint8Array.from([...args, 0]))).status).toBe("PROBE_MALFORMED");
  });

  it("steps over any value", async () => {
    const value = [[], [1, [2n, "x"]], utf8("bytes"), null, false, 70_000] as const;
    expect((await run("skip", encode(fieldValueCodec, value))).status).toBe(SUCCESS);
    expect((await run("skip", Uint8Array.of(0x81))).status).toBe("PROBE_MALFORMED");
  });

  it("keeps state maps apart by prefix", async () => {
    const args = encode(fieldValueCodec, [utf8("key"), utf8("value")]);
    const { status, returnValue } = await run("state", args);
    expect(status).toBe(SUCCESS);
    const [value, rows, isLeft] = decode(fieldValueCodec, returnValue) as readonly unknown[];
    expect(value).toEqual(utf8("value"));
    expect(rows).toEqual([[[utf8("mkey"), utf8("value")]], null]);
    expect(isLeft).toBe(false);
  });

  it("knows the block, the caller, the signers, SM3 and SM2", async () => {
    const message = utf8("signed");
    const signature = sm2Sign(sender.privateKey, message);
    const args = encode(fieldValueCodec, [sender.publicKey, message, signature]);
    const { status, returnValue, events } = await run("context", args);
    expect(status).toBe(SUCCESS);
    const { height, timestampMs } = chain.ledger.head.header;
    expect(decode(fieldValueCodec, returnValue)).toEqual([
      BigInt(height),
      BigInt(timestampMs),
      sender.address,
      1,
      sm3(message),
      true,
    ]);
    expect(events).toEqual([{ contract: "probe", topic: "probe.context", data: message }]);
  });

  it("calls another contract, and learns why a call failed", async () => {
    const codec = struct({ address: bytes(32) });
    const { returnValue } = await run("member", encode(codec, { address: sender.address }));
    const [succeeded, answer] = decode(fieldValueCodec, returnValue) as readonly [
      boolean,
      Uint8Array,
    ];
    expect(succeeded).toBe(true);
    expect(decode(memberCodec, answer).address).toEqual(sender.address);
    const nobody = await run("member", encode(codec, { address: keyOf("nobody").address }));
    const failed = decode(fieldValueCodec, nobody.returnValue);
    expect(failed).toEqual([false, utf8("MEMBERS_NOT_FOUND")]);
  });

  it("stops at a failed bounds check", async () => {
    const args = encode(bytesUpTo(8), utf8("x"));
    expect((await run("broken", args)).status).toBe("VM_ABORT");
  });
});
