import { PassThrough } from "node:stream";
import {
  buildSources,
  defaultPolicy,
  LocalChain,
  projectFiles,
  Stepper,
} from "@credlink/contract-tools";
import { beforeAll, describe, expect, it } from "vitest";
import { stepLines, walk } from "../../src/commands/contract-step.ts";

const roles = ["institution"] as const;
const manifest = {
  name: "walked",
  version: "1.0.0",
  abi: 1,
  maxMemoryPages: 8,
  methods: [{ name: "keep", readOnly: false, roles: [...roles] }],
  calls: [],
};
const source = `import { answer, emit, input, Slice, StateMap } from "./sdk/index";
const CONTRACT_VERSION: string = "walked@1.0.0";
export function keep(): void {
  const key = new StateMap(1).key(0, 0);
  StateMap.put(key, input());
  emit("kept", input());
  answer(<Slice>StateMap.get(key));
}
`;

let stepperOf: () => Promise<Stepper>;

beforeAll(async () => {
  const files = projectFiles(defaultPolicy("walked"));
  const read = (path: string) =>
    path === "assembly/index.ts" ? source : (files.get(path) ?? null);
  const contract = await buildSources({ read }, "assembly/index.ts", manifest, true);
  const chain = await LocalChain.open([contract]);
  const sender = chain.member("institution", "centre");
  const args = Uint8Array.of(0x91, 0x07);
  const call = { contract: "walked", version: "1.0.0", method: "keep", args, sender };
  stepperOf = () => Stepper.open(chain, contract, call);
}, 60_000);

/** What is shown for these lines, as programs and as people see it. */
async function walkWith(...typed: readonly string[]) {
  const values: unknown[] = [];
  const texts: string[] = [];
  async function* lines() {
    yield* typed;
  }
  await walk(await stepperOf(), {
    lines: lines(),
    show(value, text) {
      values.push(value);
      texts.push(text);
    },
    ask() {},
  });
  return { values, texts };
}

describe("contract run --step", () => {
  it("ends at `quit` although its input stays open", async () => {
    const input = new PassThrough();
    input.write("next\nquit\nnext\n");
    const positions: unknown[] = [];
    await walk(await stepperOf(), {
      lines: stepLines(input),
      show: (value) => positions.push((value as { position: number }).position),
      ask() {},
    });
    expect(positions).toEqual([0, 1]);
    expect(input.destroyed).toBe(true);
  });

  it("shows where it stands, and goes on by one call for an empty line", async () => {
    const { values } = await walkWith("", "next 2", "back");
    expect(values.map((value) => (value as { position: number }).position)).toEqual([0, 1, 3, 2]);
  });

  it("goes on to breaks on host functions and on lines of the source", async () => {
    const { values } = await walkWith(
      "break state_put",
      "c",
      "clear",
      "break assembly/index.ts:6",
      "c",
      "c",
    );
    expect(values[1]).toEqual({ break: "state_put", calls: 1 });
    expect(values[2]).toMatchObject({
      next: { name: "state_put", at: expect.stringContaining("index.ts:5") },
    });
    expect(values[5]).toMatchObject({ next: { at: expect.stringContaining("index.ts:6") } });
    const { values: toEnd } = await walkWith("continue");
    expect(toEnd[1]).toMatchObject({ next: null, status: "SUCCESS" });
  });

  it("shows memory, state, events, the stack and the list", async () => {
    const { values, texts } = await walkWith(
      "state",
      "next 99",
      "state",
      "events",
      "memory 0 4",
      "where",
      "list",
    );
    expect(values[1]).toEqual({ changes: [] });
    expect(values[3]).toMatchObject({ changes: [{ contract: "walked", value: "9107" }] });
    expect(values[4]).toEqual({ events: [{ topic: "kept", data: "9107" }] });
    expect(values[5]).toEqual({ at: 0, bytes: expect.stringMatching(/^[0-9a-f]{8}$/) });
    expect(texts[7]?.split("\n").length).toBeGreaterThan(5);
  });

  it("says what is wrong with a command, and lists the commands for an unknown one", async () => {
    const { values } = await walkWith(
      "next zero",
      "memory 0 4097",
      "memory 99999999 1",
      "break",
      "what",
    );
    expect(values[1]).toEqual({ mistake: "usage: next [COUNT]" });
    expect(values[2]).toHaveProperty("mistake");
    expect(values[3]).toHaveProperty("mistake");
    expect(values[4]).toEqual({ mistake: "usage: break NAME | FILE:LINE" });
    expect(values[5]).toHaveProperty("commands");
  });

  it("ends with quit, and reads nothing after it", async () => {
    const { values } = await walkWith("quit", "next");
    expect(values).toHaveLength(1);
  });
});
