import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import createWabt from "wabt";
import { validateModule } from "../../src/index.ts";
import { wasmEngine } from "../../src/wasm/engine.ts";
import { manifestOf } from "../support/assembler.ts";
import { fitModule } from "../support/fit-module.ts";
import { ThreeWays } from "../support/three-ways.ts";
import {
  constantOf,
  fitText,
  isList,
  type List,
  readScript,
  stringOf,
  wordAt,
} from "../support/wast.ts";

const folder = join(import.meta.dirname, "../data/spec");
const files = readdirSync(folder).filter((name) => name.endsWith(".wast"));
const manifest = manifestOf([], { maxMemoryPages: 256 });
const GAS = 1_000_000_000n;

let wabt: Awaited<ReturnType<typeof createWabt>>;
beforeAll(async () => {
  wabt = await createWabt();
});

interface Counts {
  modules: number;
  refused: number;
  calls: number;
  traps: number;
  expected: number;
  bad: number;
}
const counts: Counts = { modules: 0, refused: 0, calls: 0, traps: 0, expected: 0, bad: 0 };

/** A module of a script in binary, its foreign parts left out; null: no module any more. */
function binaryOf(text: string, module: List): { code: Uint8Array; isWhole: boolean } | null {
  const kind = [wordAt(module, 1), wordAt(module, 2)].find((word) =>
    /^(?:binary|quote)$/.test(word),
  );
  if (kind === "quote") return null;
  if (kind === "binary") {
    const strings = module.items.flatMap((item) =>
      isList(item) || !item.word.startsWith('"') ? [] : [...stringOf(item.word)],
    );
    return { code: Uint8Array.from(strings), isWhole: true };
  }
  const fit = fitText(text, module);
  try {
    const parsed = wabt.parseWat("module.wat", fit.text);
    const code = Uint8Array.from(parsed.toBinary({}).buffer);
    parsed.destroy();
    return { code, isWhole: fit.isWhole };
  } catch {
    return null;
  }
}

/** Runs one script, command by command, as far as contracts may contain what it uses. */
class Script {
  private readonly text: string;
  private current: ThreeWays | null = null;
  private isExact = false;

  constructor(text: string) {
    this.text = text;
  }

  run(): void {
    for (const command of readScript(this.text)) this.command(command);
  }

  private command(command: List): void {
    const [, first] = command.items;
    const inner = isList(first) ? first : null;
    switch (wordAt(command, 0)) {
      case "module":
        this.open(command);
        return;
      case "invoke":
        this.invoke(command, null);
        return;
      case "assert_return":
      case "assert_trap":
      case "assert_exhaustion":
        if (inner !== null && wordAt(inner, 0) === "invoke") this.invoke(inner, command);
        return;
      case "assert_invalid":
      case "assert_malformed":
        if (inner !== null) this.refuse(inner);
    }
  }

  private open(module: List): void {
    this.current = null;
    const binary = binaryOf(this.text, module);
    if (binary === null) return;
    const { code, behavesAlike } = fitModule(binary.code);
    const verdict = validateModule(code, manifest);
    if (!verdict.ok) {
      counts.refused++;
      // What was left out can leave a module behind that is none: the engine says so too.
      expect(verdict.code === "VM_MODULE_MALFORMED" && isEngineFine(code)).toBe(false);
      return;
    }
    counts.modules++;
    this.isExact = binary.isWhole && behavesAlike;
    this.current = new ThreeWays(code);
  }

  /** What the suite calls wrong is refused, whatever the reader meets on its way. */
  private refuse(module: List): void {
    const binary = binaryOf(this.text, module);
    if (binary === null || isEngineFine(binary.code)) return;
    counts.bad++;
    expect(validateModule(binary.code, manifest).ok).toBe(false);
  }

  private invoke(invoke: List, assertion: List | null): void {
    const { current } = this;
    const place = wordAt(invoke, 1).startsWith("$") ? 2 : 1;
    const name = new TextDecoder().decode(stringOf(wordAt(invoke, place)));
    const isKnown = current?.functions.some((exported) => exported.name === name) ?? false;
    const values = invoke.items
      .slice(place + 1)
      .map((item) => (isList(item) ? constantOf(item) : null));
    if (current === null || !isKnown || place === 2 || values.includes(null)) return;
    const outcome = current.call(
      name,
      values.filter((value) => value !== null),
      GAS,
    );
    counts.calls++;
    const kind = assertion === null ? "" : wordAt(assertion, 0);
    if ("trap" in outcome) counts.traps++;
    if (kind === "assert_exhaustion") expect(outcome).toMatchObject({ trap: "stack" });
    if (!this.isExact || assertion === null || kind === "assert_exhaustion") return;
    if (kind === "assert_trap") {
      expect("trap" in outcome, name).toBe(true);
      return;
    }
    const results = assertion.items
      .slice(2)
      .map((item) => (isList(item) ? constantOf(item) : null));
    if (results.includes(null)) return;
    counts.expected++;
    expect("result" in outcome ? outcome.result : outcome, name).toBe(results[0]);
  }
}

/** Some modules are wrong for WebAssembly 1.0 only; what is wrong for the engine must be so here. */
function isEngineFine(code: Uint8Array): boolean {
  return wasmEngine.validate(code);
}

describe("the WebAssembly core test suite, original, metered form and reference", () => {
  it.each(files)("%s", (file) => {
    new Script(readFileSync(join(folder, file), "utf8")).run();
  });

  it("was not passed by leaving everything out", () => {
    expect(counts.modules).toBeGreaterThan(180);
    expect(counts.calls).toBeGreaterThan(2_200);
    expect(counts.traps).toBeGreaterThan(300);
    // Those whose result the suite itself names, and modules that it calls wrong.
    expect(counts.expected).toBeGreaterThan(1_100);
    expect(counts.bad).toBeGreaterThan(800);
  });
});
