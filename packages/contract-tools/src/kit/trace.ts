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
  type Event,
  MEMBERS_CONTRACT,
  memberCodec,
  memberKey,
  NeedsRange,
  type StateView,
  type StateWrite,
  SUCCESS,
} from "@credlink/ledger";
import { type Address, decode, invariant, noMetrics } from "@credlink/primitives";
import type { BuiltContract } from "../build/build.ts";
import { packagedManifestOf } from "../build/package.ts";
import type { Place } from "../scan/source/syntax.ts";
import { Trap } from "./arithmetic.ts";
import { describeOperands, type HostCall } from "./host-call.ts";
import { Interpreter } from "./interpreter.ts";
import { KIT_GAS_LIMIT, type LocalCall, type LocalChain } from "./local-chain.ts";
import { parseSourceMap, type SourceMap } from "./source-map.ts";

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

/** A contract between two instructions; what it gives is to be copied before the call goes on. */
export interface Moment {
  readonly memory: ArrayBuffer;
  /** What the call changed in the state so far, each key once. */
  readonly changes: () => readonly StateWrite[];
  readonly events: readonly Event[];
}

/** Told before each call of the host, by how many came before it, and once more at the end. */
export type OnMoment = (hostCalls: number, moment: Moment) => void;

const MAX_RERUNS = 100;

/**
 * Runs a call once more, one instruction at a time, on the state that the chain stands at. The chain
 * is left as it was. Calls of other contracts run as a whole.
 *
 * @param onMoment is told anew from the first where a range of the state had to be loaded.
 */
export async function traceCall(
  chain: LocalChain,
  contract: BuiltContract,
  call: LocalCall,
  onMoment: OnMoment = () => {},
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
      return new Tracer(contract, inner, map, onMoment).run();
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
  private readonly onMoment: OnMoment;
  private readonly host = new Host();
  private readonly interpreter: Interpreter;
  private readonly hostCalls: HostCall[] = [];
  private readonly lines = new Map<string, number>();

  constructor(contract: BuiltContract, call: Call, map: SourceMap | null, onMoment: OnMoment) {
    this.contract = contract;
    this.call = call;
    this.map = map;
    this.onMoment = onMoment;
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
    this.tellMoment();
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
      const given = describeOperands(name, values, this.interpreter.memory);
      const stack = this.places();
      const at = stack.find(isOwn) ?? stack[0] ?? null;
      this.tellMoment();
      const note = (outcome: string): void => {
        const gasLeft = this.interpreter.gas;
        const detail = `${given}${outcome}`;
        this.hostCalls.push({ name, given, detail, gas: before - gasLeft, gasLeft, at, stack });
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

  private tellMoment(): void {
    const { call, interpreter } = this;
    this.onMoment(this.hostCalls.length, {
      memory: interpreter.memory,
      changes: () => call.state.writes(),
      events: call.events,
    });
  }
}
