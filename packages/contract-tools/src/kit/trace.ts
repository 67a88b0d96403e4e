import { contractsVmMetrics } from "@credlink/contracts-vm";
import {
  type BoundInstance,
  type Call,
  CallRunner,
  ContractCache,
  GasMeter,
  HOST_MODULE,
  Host,
  type HostFunction,
  parseModule,
  StateOverlay,
  Stop,
} from "@credlink/contracts-vm/inspect";
import {
  MEMBERS_CONTRACT,
  memberCodec,
  memberKey,
  NeedsRange,
  type StateView,
  SUCCESS,
} from "@credlink/ledger";
import {
  type Address,
  decode,
  invariant,
  noMetrics,
  toHex,
  utf8ToText,
} from "@credlink/primitives";
import type { BuiltContract } from "../build/build.ts";
import { packagedManifestOf } from "../build/package.ts";
import type { Place } from "../scan/source/syntax.ts";
import { Trap } from "./arithmetic.ts";
import { Interpreter } from "./interpreter.ts";
import { KIT_GAS_LIMIT, type LocalCall, type LocalChain } from "./local-chain.ts";
import { parseSourceMap, type SourceMap } from "./source-map.ts";

/** One call of the host, as it went. */
export interface HostCall {
  readonly name: string;
  /** What it was given and what it answered, for people. */
  readonly detail: string;
  readonly gas: number;
  /** Where the contract's own code called, null without a source map. */
  readonly at: Place | null;
}

/** What happened inside a contract, step by step. */
export interface Trace {
  readonly status: string;
  /** Where it ended unless it succeeded: innermost first. */
  readonly stack: readonly Place[];
  readonly hostCalls: readonly HostCall[];
  /** `file:line` -> gas of that line's instructions and host calls, most first. */
  readonly gasByLine: ReadonlyMap<string, number>;
  /** Gas of the contract's code and its host calls; a transaction's own cost comes on top. */
  readonly gas: number;
  readonly returnValue: Uint8Array;
}

const MAX_RERUNS = 100;
const SHOWN_BYTES = 48;

/**
 * Runs a call once more, one instruction at a time, on the state that the chain stands at. The chain
 * is left as it was. Calls of other contracts run as a whole.
 */
export async function traceCall(
  chain: LocalChain,
  contract: BuiltContract,
  call: LocalCall,
): Promise<Trace> {
  const { view, context } = chain.next;
  const map = contract.sourceMap === null ? null : parseSourceMap(contract.sourceMap);
  for (let run = 0; run < MAX_RERUNS; run++) {
    const gas = new GasMeter(call.gasLimit ?? KIT_GAS_LIMIT);
    const inner: Call = {
      contract: call.contract,
      version: call.version,
      method: call.method,
      args: call.args,
      caller: identityOf(view, call.sender),
      signers: [call.sender, ...(call.coSigners ?? [])].map((each) => identityOf(view, each)),
      block: context,
      gas,
      state: new StateOverlay(new StateOverlay(view)),
      events: [],
      eventsBefore: 0,
      readOnly: false,
      running: [],
      stack: 0,
    };
    try {
      return new Tracer(contract, inner, map).run();
    } catch (error) {
      if (!(error instanceof NeedsRange)) throw error;
      await view.loadRange(error.range);
    }
  }
  throw new RangeError("the state never answers a range");
}

function identityOf(view: StateView, address: Address) {
  const value = view.get(MEMBERS_CONTRACT, memberKey(address));
  invariant(value !== null, "the kit's members are enrolled");
  const { role, organization } = decode(memberCodec, value);
  return { address, role, organization };
}

/** Whether a place is the contract's own, and not the SDK's or the language's. */
export function isOwn({ file }: Place): boolean {
  return !/(?:^|\/)sdk\/|^~lib/.test(file);
}

class Tracer {
  private readonly call: Call;
  private readonly contract: BuiltContract;
  private readonly map: SourceMap | null;
  private readonly host = new Host();
  private readonly interpreter: Interpreter;
  private readonly hostCalls: HostCall[] = [];
  private readonly lines = new Map<string, number>();

  constructor(contract: BuiltContract, call: Call, map: SourceMap | null) {
    this.contract = contract;
    this.call = call;
    this.map = map;
    const module = parseModule(contract.code);
    this.interpreter = new Interpreter(module, (name) => this.hostFunction(name), {
      onGas: (offset, gas) => this.count(offset, gas),
    });
  }

  run(): Trace {
    const { interpreter, call, host } = this;
    const module = parseModule(this.contract.code);
    const method = module.exports.find(({ name, kind }) => kind === 0 && name === call.method);
    invariant(method !== undefined, `the contract exports ${call.method}`);
    const { calls } = packagedManifestOf(this.contract.manifest);
    const lookups = noMetrics.counter(contractsVmMetrics.modules);
    const cache = { capacity: 8, reuseInstances: true, forms: null, lookups };
    const runner = new CallRunner(new ContractCache(cache));
    host.attach(this.bound());
    host.begin(call, { run: runner.run, calls });
    interpreter.gas = call.gas.remaining;
    let status = SUCCESS;
    try {
      interpreter.call(method.index, []);
    } catch (error) {
      if (error instanceof NeedsRange) throw error;
      if (!(error instanceof Trap || error instanceof Stop)) throw error;
      status = error.status;
    }
    const lines = [...this.lines].sort(([, a], [, b]) => b - a);
    return {
      status,
      stack: status === SUCCESS ? [] : this.places(),
      hostCalls: this.hostCalls,
      gasByLine: new Map(lines),
      gas: call.gas.limit - interpreter.gas,
      returnValue: host.end(),
    };
  }

  /** The interpreter in the place of an instance of the node's. */
  private bound(): BoundInstance {
    const { interpreter } = this;
    const none = { value: 0 };
    return {
      memory: {
        get buffer() {
          return interpreter.memory;
        },
      },
      gas: {
        get value() {
          return BigInt(interpreter.gas);
        },
        set value(left: bigint) {
          interpreter.gas = Number(left);
        },
      },
      stack: {
        get value() {
          return interpreter.stack;
        },
        set value(_: number) {},
      },
      fault: none,
      charge: (gas) => interpreter.charge(gas),
      globals: [],
      method: () => () => {},
    };
  }

  private count(offset: number, gas: number): void {
    const place = this.map?.placeOf(offset) ?? null;
    const line = place === null ? "elsewhere" : `${place.file}:${place.line}`;
    this.lines.set(line, (this.lines.get(line) ?? 0) + gas);
  }

  /** The running functions' places, innermost first: the SDK's, and the contract's own before it. */
  private places(): readonly Place[] {
    const { map } = this;
    if (map === null) return [];
    return this.interpreter.frames.toReversed().flatMap(({ offset, start }) => {
      const exact = map.placeOf(offset);
      if (exact !== null && isOwn(exact)) return [exact];
      const own = map.placeBefore(offset, start, isOwn);
      return [exact, own].filter((place) => place !== null);
    });
  }

  private hostFunction(name: string): HostFunction {
    const real = this.host.imports[HOST_MODULE]?.[name];
    invariant(real !== undefined, "the host offers what a module imports");
    return (...values: readonly never[]) => {
      const before = this.interpreter.gas;
      const given = this.describe(name, values);
      const at = this.ownPlace();
      const note = (outcome: string): void => {
        const gas = before - this.interpreter.gas;
        this.hostCalls.push({ name, detail: `${given}${outcome}`, gas, at });
      };
      try {
        const result = real(...values);
        note(result === undefined ? "" : ` = ${result}`);
        return result;
      } catch (error) {
        if (error instanceof Stop) note(` ends the call: ${error.status}`);
        throw error;
      }
    };
  }

  /** The innermost place that is not the SDK's. */
  private ownPlace(): Place | null {
    const places = this.places();
    return places.find(isOwn) ?? places[0] ?? null;
  }

  private describe(name: string, values: readonly (number | bigint)[]): string {
    const [a = 0, b = 0, c = 0, d = 0] = values.map(Number);
    switch (name) {
      case "state_get":
      case "state_delete":
        return this.hex(a, b);
      case "state_put":
        return `${this.hex(a, b)} := ${this.hex(c, d)}`;
      case "state_range":
        return `${this.hex(a, b)} to ${this.hex(c, d)}`;
      case "event":
        return `${this.text(a, b)} ${this.hex(c, d)}`;
      case "revert":
        return this.text(a, b);
      case "return_value":
        return this.hex(a, b);
      case "contract_call":
        return `${this.text(a, b)}.${this.text(c, d)}`;
      default:
        return "";
    }
  }

  private bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.interpreter.memory).slice(at >>> 0, (at >>> 0) + (length >>> 0));
  }

  private hex(at: number, length: number): string {
    const bytes = this.bytes(at, length);
    const text = toHex(bytes.subarray(0, SHOWN_BYTES));
    return bytes.length > SHOWN_BYTES ? `${text}… (${bytes.length} bytes)` : text;
  }

  private text(at: number, length: number): string {
    try {
      return utf8ToText(this.bytes(at, Math.min(length >>> 0, 64)));
    } catch {
      return this.hex(at, length);
    }
  }
}
