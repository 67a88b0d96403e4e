import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  HOST_MODULE,
  hostTypes,
  type WasmImports,
  type WasmMemory,
  type WasmModuleHandle,
  wasmEngine,
} from "@credlink/contracts-vm/inspect";
import { type MemberRole, memberRoles } from "@credlink/ledger";
import {
  type Address,
  address,
  equalBytes,
  invariant,
  utf8,
  utf8ToText,
} from "@credlink/primitives";
import asc from "assemblyscript/asc";
import { type BuiltContract, buildContract } from "../build/build.ts";
import type { SourceReader } from "../build/compile.ts";
import { describeDiagnostic } from "../build/diagnostics.ts";
import { packagedManifestOf } from "../build/package.ts";
import { type ContractProject, isForeign } from "../build/project.ts";
import { ContractToolsError } from "../errors.ts";
import { describePlace } from "../scan/source/parse.ts";
import { type LocalCall, LocalChain, SUCCESS } from "./local-chain.ts";
import { isOwn, traceCall } from "./trace.ts";

/** How one test ended. */
export interface TestOutcome {
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
  /** Why it failed, with file and line; null when it passed. */
  readonly failure: string | null;
  /** Gas of the test's transactions together. */
  readonly gas: number;
}

/** Ends a test from inside a function that it calls. */
class TestFailed extends Error {}

/**
 * Runs the tests of a project: every exported function of test/*.test.ts, each on a chain of its own in
 * which the contract is started and its state is empty.
 *
 * @param names files of tests; default all of the project's folder.
 * @throws ContractToolsError TOOLS_COMPILE_FAILED, and what building throws
 */
export async function runTests(
  project: ContractProject,
  progress: (text: string) => void,
  names: readonly string[] = testFiles(project),
): Promise<readonly TestOutcome[]> {
  progress("compiling the contract");
  const contract = await buildContract(project, { debug: !isForeign(project) });
  const genesis = await LocalChain.open([contract]);
  const outcomes: TestOutcome[] = [];
  for (const name of names) {
    progress(`compiling ${name}`);
    const module = new wasmEngine.Module(await compileTest(project.sources, name));
    const script = new TestScript(genesis.fork(), contract);
    const { exports } = new wasmEngine.Instance(module, script.imports);
    for (const [test, value] of Object.entries(exports)) {
      if (typeof value !== "function" || test.startsWith("_")) continue;
      outcomes.push(await runTest(name, test, module, genesis.fork(), contract));
    }
  }
  return outcomes;
}

function testFiles(project: ContractProject): readonly string[] {
  const found = readdirSync(project.dir, { recursive: true, encoding: "utf8" })
    .filter((name) => /^test[\\/].*\.test\.ts$/.test(name))
    .map((name) => name.replaceAll("\\", "/"))
    .sort();
  if (found.length === 0) {
    throw new ContractToolsError(
      "TOOLS_PROJECT_UNREADABLE",
      `${join(project.dir, "test")}: no test`,
    );
  }
  return found;
}

async function compileTest(source: SourceReader, entry: string): Promise<Uint8Array<ArrayBuffer>> {
  let code: Uint8Array | null = null;
  const messages: string[] = [];
  const { error } = await asc.main(
    [entry, "--baseDir", ".", "--outFile", "test.wasm", "--runtime", "stub", "--debug"],
    {
      readFile: (name) => source.read(name.replace(/^\.\//, "")),
      listFiles: () => [],
      reportDiagnostic: (diagnostic) => messages.push(describeDiagnostic(diagnostic, source.read)),
      writeFile: (_name: string, content: string | Uint8Array) => {
        if (typeof content !== "string") code = content;
      },
    },
  );
  if (error !== null || code === null) {
    const what = messages.join("\n") || (error?.message ?? "no output");
    throw new ContractToolsError("TOOLS_COMPILE_FAILED", `${entry} does not compile\n${what}`);
  }
  return new Uint8Array(code);
}

/**
 * A test is synchronous and the executor is not: so a test runs from its start until it meets a call
 * whose outcome is not known yet, the call is made, and the test runs again with it.
 */
async function runTest(
  file: string,
  name: string,
  module: WasmModuleHandle,
  chain: LocalChain,
  contract: BuiltContract,
): Promise<TestOutcome> {
  const script = new TestScript(chain, contract);
  for (;;) {
    script.rewind();
    try {
      const { exports } = new wasmEngine.Instance(module, script.imports);
      const test = exports[name];
      invariant(typeof test === "function", "a test is an exported function");
      script.attach(exports.memory as WasmMemory);
      test();
      return { file, name, passed: true, failure: null, gas: script.gas };
    } catch (error) {
      if (error instanceof CallPending) {
        await script.make(error.step);
        continue;
      }
      const failure = await script.explain(error);
      return { file, name, passed: false, failure, gas: script.gas };
    }
  }
}

/** What a test asks of the chain, in order. */
type Step =
  | { readonly kind: "call"; readonly call: LocalCall }
  | { readonly kind: "advance"; readonly milliseconds: number };

class CallPending extends Error {
  readonly step: Step;

  constructor(step: Step) {
    super("pending");
    this.step = step;
  }
}

interface Answer {
  readonly status: string;
  readonly returnValue: Uint8Array;
}

class TestScript {
  gas = 0;
  private readonly chain: LocalChain;
  private readonly contract: BuiltContract;
  private readonly answers: Answer[] = [];
  private position = 0;
  private memory: WasmMemory | null = null;
  private buffer: Uint8Array = new Uint8Array();
  private status = "";
  private signers: Address[] = [];
  /** The last call, and the chain that it was made on. */
  private last: { readonly call: LocalCall; readonly before: LocalChain } | null = null;

  constructor(chain: LocalChain, contract: BuiltContract) {
    this.chain = chain;
    this.contract = contract;
  }

  attach(memory: WasmMemory): void {
    this.memory = memory;
  }

  rewind(): void {
    this.position = 0;
    this.signers = [];
  }

  /** Makes a step for good. */
  async make(step: Step): Promise<void> {
    if (step.kind === "advance") {
      this.chain.advance(step.milliseconds);
      this.answers.push({ status: SUCCESS, returnValue: new Uint8Array() });
      return;
    }
    const { call } = step;
    this.last = { call, before: this.chain.fork() };
    const { methods } = packagedManifestOf(this.contract.manifest);
    const isQuery = methods.find(({ name }) => name === call.method)?.readOnly === true;
    const receipt = isQuery ? await this.chain.query(call) : await this.chain.run(call);
    this.gas += receipt.gasUsed;
    this.answers.push(receipt);
  }

  /** What a failed test says: its own place, and where the contract refused last. */
  async explain(error: unknown): Promise<string> {
    const reason = error instanceof Error ? error.message : String(error);
    const status = this.answers.at(-1)?.status ?? SUCCESS;
    if (this.last === null || status === SUCCESS) return reason;
    const { call, before } = this.last;
    const known = packagedManifestOf(this.contract.manifest).methods;
    if (!known.some(({ name }) => name === call.method)) return `${reason}; ${status}`;
    const { stack, status: traced } = await traceCall(before, this.contract, call);
    // What the node refuses before the contract runs has no place in it.
    if (traced !== status) return `${reason}; the last call of ${call.method} ended with ${status}`;
    const places = stack.filter(isOwn);
    const where = places.map(describePlace).join(" from ");
    return `${reason}; the last call of ${call.method} ended with ${status} at ${where}`;
  }

  private next(step: Step): Answer {
    const answer = this.answers[this.position];
    if (answer === undefined) throw new CallPending(step);
    this.position++;
    return answer;
  }

  private bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.memory?.buffer ?? new ArrayBuffer(0)).slice(at, at + length);
  }

  private text(at: number, length: number): string {
    return utf8ToText(this.bytes(at, length));
  }

  /** AssemblyScript keeps a text as UTF-16, its length in bytes four bytes in front of it. */
  private scriptText(at: number): string {
    if (at === 0 || this.memory === null) return "";
    const length = new DataView(this.memory.buffer).getUint32(at - 4, true);
    return new TextDecoder("utf-16le").decode(this.bytes(at, length));
  }

  private write(at: number, bytes: Uint8Array): undefined {
    new Uint8Array(this.memory?.buffer ?? new ArrayBuffer(0)).set(bytes, at);
  }

  get imports(): WasmImports {
    const { contract } = this;
    const outside = (): never => {
      throw new TestFailed("a test reaches the chain through run() alone");
    };
    return {
      env: {
        abort: (message: number, file: number, line: number, column: number) => {
          const what = this.scriptText(message) || "assertion failed";
          throw new TestFailed(`${this.scriptText(file)}:${line}:${column}: ${what}`);
        },
      },
      // A test may use the SDK's readers and writers; they end a test as they end a call.
      [HOST_MODULE]: {
        ...Object.fromEntries(Object.keys(hostTypes).map((name) => [name, outside])),
        buffer_read: (at: number) => this.write(at, this.buffer),
        revert: (at: number, length: number) => {
          throw new TestFailed(`the test itself reverts: ${this.text(at, length)}`);
        },
      },
      kit: {
        member: (
          role: number,
          roleLength: number,
          name: number,
          nameLength: number,
          out: number,
        ) => {
          const wanted = roleOf(this.text(role, roleLength));
          this.write(out, this.chain.member(wanted, this.text(name, nameLength)));
        },
        sign: (at: number) => {
          if (at === 0) this.signers = [];
          else this.signers.push(address(this.bytes(at, 32)));
        },
        advance: (milliseconds: bigint) => {
          this.next({ kind: "advance", milliseconds: Number(milliseconds) });
        },
        call: (method: number, methodLength: number, args: number, argsLength: number) => {
          const [sender, ...others] = this.signers;
          if (sender === undefined) throw new TestFailed("nobody sends: call sendAs() first");
          const coSigners = others.filter((each) => !equalBytes(each, sender));
          const call: LocalCall = {
            contract: contract.name,
            version: contract.version,
            method: this.text(method, methodLength),
            args: this.bytes(args, argsLength),
            sender,
            coSigners,
          };
          const { status, returnValue } = this.next({ kind: "call", call });
          this.status = status;
          this.buffer = returnValue;
          return returnValue.length;
        },
        status: () => {
          this.buffer = utf8(this.status);
          return this.buffer.length;
        },
      },
    };
  }
}

function roleOf(text: string): MemberRole {
  const role = memberRoles.find((each) => each === text);
  if (role === undefined) throw new TestFailed(`${text} is no role`);
  return role;
}
