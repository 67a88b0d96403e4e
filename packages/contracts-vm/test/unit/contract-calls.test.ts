import type { Receipt } from "@credlink/ledger";
import { concatBytes, utf8, utf8ToText } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import type { MethodManifest } from "../../src/index.ts";
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
  set,
} from "../support/assembler.ts";
import { TestChain } from "../support/chain.ts";
import { type Consortium, createConsortium } from "../support/consortium.ts";

let consortium: Consortium;
beforeAll(async () => {
  consortium = await createConsortium();
});

const DROP = 0x1a;
const IMPORTS = [
  "contract_call",
  "buffer_read",
  "return_value",
  "state_put",
  "event",
  "signers",
  "caller",
] as const;
const CALL = 0;
const READ = 1;
const RETURN = 2;
const PUT = 3;
const EVENT = 4;
const SIGNERS = 5;
const CALLER = 6;

interface ContractText {
  readonly name: string;
  readonly calls?: readonly string[];
  readonly methods: Readonly<
    Record<string, { readonly code: Code; readonly method?: Partial<MethodManifest> }>
  >;
}

/** At address 1024 stands what is given as `data`; local 0 is free. */
function contract({ name, calls, methods }: ContractText, data: string) {
  const code = assemble({
    imports: IMPORTS,
    functions: Object.entries(methods).map(([method, { code: body }]) => ({
      name: method,
      locals: [[1, I32]],
      code: body,
    })),
    data: [[1024, utf8(data)]],
    version: `${name}@1.0.0`,
  });
  const list = Object.entries(methods).map(([method, { method: more }]) => ({
    name: method,
    readOnly: false,
    roles: ["institution"] as const,
    ...more,
  }));
  return contractOf(code, manifestOf(list, { name, calls: calls ?? [] }));
}

const put: Code = [i32(1024), i32(1), i32(1024), i32(1), call(PUT)];
const emit: Code = [i32(1024), i32(1), i32(1024), i32(1), call(EVENT)];
/** Calls the contract whose name (4 bytes) and method (4 bytes) stand at 1024. */
const callOther = (gas: bigint | number = -1): Code => [
  i32(1024),
  i32(4),
  i32(1028),
  i32(4),
  i32(0),
  i32(0),
  i64(gas),
  call(CALL),
];
const returnBuffer = (produce: Code): Code => [
  produce,
  set(0),
  i32(0),
  call(READ),
  i32(0),
  get(0),
  call(RETURN),
];
/** Returns what the call left in the buffer: its return value, or its status of 16 bytes. */
const returnStatus = (length: number, produce: Code = callOther()): Code => [
  produce,
  DROP,
  i32(0),
  call(READ),
  i32(0),
  i32(length),
  call(RETURN),
];
const internal = { roles: [] };
const returnStatus17 = () => returnStatus(17);

async function run(
  contracts: readonly ReturnType<typeof contract>[],
): Promise<{ receipt: Receipt; chain: TestChain }> {
  const chain = new TestChain({ ...consortium.genesis, contracts });
  const signers = [consortium.institution.address];
  const receipt = await chain.run({ contract: "main", version: "1.0.0", method: "main", signers });
  return { receipt, chain };
}

const main = (code: Code, calls: readonly string[] = ["some"], data = "somecall") =>
  contract({ name: "main", calls, methods: { main: { code } } }, data);
const some = (code: Code, method: Partial<MethodManifest> = internal, data = "k") =>
  contract({ name: "some", methods: { call: { code, method } } }, data);

describe("calls from contract to contract", () => {
  it("keep what the called contract did, under its own name", async () => {
    const { receipt, chain } = await run([main([emit, callOther(), DROP]), some([put, emit])]);
    expect(receipt.status).toBe("SUCCESS");
    expect(receipt.events.map((event) => event.contract)).toEqual(["main", "some"]);
    expect(chain.view.get("some", utf8("k"))).toEqual(utf8("k"));
    expect(chain.view.get("main", utf8("k"))).toBeNull();
  });

  it("drop what a failed callee did, and only that", async () => {
    const { receipt, chain } = await run([
      main([put, emit, returnStatus(19)]),
      some([put, emit, 0x00]),
    ]);
    expect(receipt.status).toBe("SUCCESS");
    expect(utf8ToText(receipt.returnValue)).toBe("VM_TRAP_UNREACHABLE");
    expect(receipt.events.map((event) => event.contract)).toEqual(["main"]);
    expect(chain.view.get("some", utf8("k"))).toBeNull();
    expect(chain.view.get("main", utf8("s"))).toEqual(utf8("s"));
  });

  it("drop everything when the caller fails afterwards", async () => {
    const { receipt, chain } = await run([main([callOther(), DROP, 0x00]), some([put, emit])]);
    expect(receipt).toMatchObject({ status: "VM_TRAP_UNREACHABLE", events: [] });
    expect(chain.view.get("some", utf8("k"))).toBeNull();
  });

  it("S-9.9-4b: leave the caller's state, events and gas to it, whatever the callee tries", async () => {
    const endless: Code = [0x03, 0x40, 0x0c, 0, 0x0b];
    const grow: Code = [i32(15), 0x40, 0, DROP];
    const back: Code = [callOther(), DROP];
    const attempts: readonly (readonly [name: string, code: Code, status: string])[] = [
      ["puts under the caller's key", put, ""],
      ["calls back into the caller", [back, 0x00], "VM_TRAP_UNREACHABLE"],
      [
        "emits more than a transaction may",
        Array.from({ length: 65 }, () => emit),
        "VM_EVENT_LIMIT",
      ],
      ["runs for ever", endless, "VM_OUT_OF_GAS"],
      ["recurses for ever", call(IMPORTS.length), "VM_STACK_OVERFLOW"],
      ["reaches outside its memory", [i32(-1), 0x28, 2, 0, DROP], "VM_TRAP_MEMORY"],
      ["takes all memory and traps", [grow, 0x00], "VM_TRAP_UNREACHABLE"],
    ];
    for (const [name, code, status] of attempts) {
      const hostile = contract(
        { name: "some", calls: ["main"], methods: { call: { code, method: internal } } },
        "mainmain",
      );
      // The caller's key is "s", the callee's "m"; what the caller put before is there afterwards.
      const { receipt, chain } = await run([
        main([put, emit, returnStatus(status.length, callOther(3_000_000))]),
        hostile,
      ]);
      expect(receipt.status, name).toBe("SUCCESS");
      expect(utf8ToText(receipt.returnValue), name).toBe(status);
      expect(receipt.gasUsed, name).toBeLessThan(3_300_000);
      const kept = [...chain.view.rows.keys()].filter((key) => key.startsWith("main/"));
      expect(kept, name).toEqual(["main/73"]);
      expect(chain.view.get("main", utf8("s")), name).toEqual(utf8("s"));
      expect(receipt.events.map((event) => event.contract)[0], name).toBe("main");
      expect(receipt.events, name).toHaveLength(1);
    }
  });

  it("inherit no authority: the callee sees the contract and no signers", async () => {
    const seen = await run([
      main(returnBuffer(callOther())),
      some(returnBuffer(call(CALLER)), { ...internal, readOnly: true }),
    ]);
    const expected = concatBytes(
      Uint8Array.of(0x93, 0xc4, 32),
      new Uint8Array(32),
      Uint8Array.of(0xa8),
      utf8("contract"),
      Uint8Array.of(0xa4),
      utf8("main"),
    );
    expect(seen.receipt.returnValue).toEqual(expected);
    const signers = await run([main(returnBuffer(callOther())), some(returnBuffer(call(SIGNERS)))]);
    expect([...signers.receipt.returnValue]).toEqual([0x90]);
  });

  it("reach read-only methods and internal ones, not those of members' roles", async () => {
    for (const [method, status] of [
      [{ roles: ["institution"] }, "VM_ACCESS_DENIED"],
      [{ roles: ["institution"], readOnly: true }, ""],
      [internal, ""],
    ] as const) {
      const { receipt } = await run([main(returnStatus(status.length)), some([], method)]);
      expect(utf8ToText(receipt.returnValue)).toBe(status);
    }
  });

  it("leave internal methods closed to members", async () => {
    const { chain } = await run([main([]), some([])]);
    const signers = [consortium.institution.address];
    const base = { contract: "some", version: "1.0.0", method: "call", signers };
    expect((await chain.run(base)).status).toBe("VM_ACCESS_DENIED");
  });

  it("write nothing from a read-only method, however deep", async () => {
    const outer = contract(
      {
        name: "main",
        calls: ["some"],
        methods: { main: { code: returnStatus(12), method: { readOnly: true } } },
      },
      "somecall",
    );
    const { receipt } = await run([outer, some(put)]);
    expect(utf8ToText(receipt.returnValue)).toBe("VM_READ_ONLY");
  });

  it("do not enter a contract twice", async () => {
    const back = contract(
      {
        name: "some",
        calls: ["main"],
        methods: { call: { code: returnBuffer(callOther()), method: internal } },
      },
      "mainmain",
    );
    const inner = contract(
      {
        name: "some",
        calls: ["main"],
        methods: { call: { code: returnStatus(17), method: internal } },
      },
      "mainmain",
    );
    expect((await run([main(returnBuffer(callOther())), inner])).receipt).toMatchObject({
      status: "SUCCESS",
      returnValue: utf8("VM_CALL_REENTERED"),
    });
    // The answer -1 taken for a length is a pointer outside, and fails the inner call alone.
    const { receipt } = await run([main(returnStatus(15)), back]);
    expect(utf8ToText(receipt.returnValue)).toBe("VM_HOST_POINTER");
  });

  it("go eight deep and no deeper", async () => {
    const names = Array.from({ length: 9 }, (_, index) => `deep-${index}`);
    const contracts = names.map((name, index) => {
      const next = names[index + 1] ?? "none";
      const code: Code = [
        i32(1024),
        i32(6),
        i32(1030),
        i32(4),
        i32(0),
        i32(0),
        i64(-1),
        call(CALL),
        // Passes on what the callee returned, or the status of its failure.
        set(0),
        i32(0),
        call(READ),
        i32(0),
        i32(16),
        call(RETURN),
      ];
      return contract(
        { name, calls: [next], methods: { call: { code, method: internal } } },
        `${next}call`,
      );
    });
    const first = main(
      [
        i32(1024),
        i32(6),
        i32(1030),
        i32(4),
        i32(0),
        i32(0),
        i64(-1),
        call(CALL),
        DROP,
        i32(0),
        call(READ),
        i32(0),
        i32(16),
        call(RETURN),
      ],
      ["deep-0"],
      "deep-0call",
    );
    const { receipt } = await run([first, ...contracts]);
    expect(utf8ToText(receipt.returnValue)).toBe("VM_CALL_TOO_DEEP");
  });

  it("spend at most the gas they were given", async () => {
    const endless: Code = [0x03, 0x40, 0x0c, 0, 0x0b];
    const cheap = await run([main(returnStatus(13, callOther(100_000))), some(endless)]);
    expect(utf8ToText(cheap.receipt.returnValue)).toBe("VM_OUT_OF_GAS");
    const dear = await run([main(returnStatus(13, callOther(1_100_000))), some(endless)]);
    // The larger constant takes the same gas to push; the callee uses all of either allowance.
    expect(dear.receipt.gasUsed - cheap.receipt.gasUsed).toBe(1_000_000);
    // What was paid beforehand still runs; the next block finds nothing left.
    const more: Code = [0x02, 0x40, i32(0), 0x0d, 0, 0x0b, i32(1), DROP];
    const all = await run([main([callOther(), DROP, more]), some(endless)]);
    expect(all.receipt).toMatchObject({ status: "VM_OUT_OF_GAS", gasUsed: 100_000_000 });
  });

  it("share one metered stack over all contracts of a transaction", async () => {
    const recursion = (otherwise: Code) => ({
      parameters: [I32],
      code: [
        get(0),
        0x04,
        0x40,
        get(0),
        i32(1),
        0x6b,
        call(IMPORTS.length + 1),
        0x05,
        otherwise,
        0x0b,
      ],
    });
    const deep = (name: string, otherwise: Code, data: string, calls: readonly string[]) => {
      const methods = name === "main" ? "main" : "call";
      const code = assemble({
        imports: IMPORTS,
        functions: [
          { name: methods, code: [i32(500), call(IMPORTS.length + 1)] },
          recursion(otherwise),
        ],
        data: [[1024, utf8(data)]],
        version: `${name}@1.0.0`,
      });
      const method = {
        name: methods,
        readOnly: false,
        roles: name === "main" ? (["institution"] as const) : [],
      };
      return contractOf(code, manifestOf([method], { name, calls }));
    };
    const alone = await run([deep("main", [], "", [])]);
    expect(alone.receipt.status).toBe("SUCCESS");
    const both = await run([
      deep("main", returnStatus17(), "somecall", ["some"]),
      deep("some", [], "", []),
    ]);
    expect(utf8ToText(both.receipt.returnValue)).toBe("VM_STACK_OVERFLOW");
  });

  it("find no contract that is not there", async () => {
    const { receipt } = await run([main(returnStatus(19), ["none"], "nonecall")]);
    expect(utf8ToText(receipt.returnValue)).toBe("VM_CONTRACT_UNKNOWN");
  });
});
