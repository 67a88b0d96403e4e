import type { Event, StateWrite } from "@credlink/ledger";
import type { BuiltContract } from "../build/build.ts";
import type { HostCall } from "./host-call.ts";
import type { LocalCall, LocalChain } from "./local-chain.ts";
import { type Moment, type Trace, traceCall } from "./trace.ts";

/** A contract before the next call of the host, or after its last one. */
export interface Snapshot {
  /** Its whole memory. */
  readonly memory: Uint8Array;
  /** What it changed in the state so far, each key once. */
  readonly changes: readonly StateWrite[];
  readonly events: readonly Event[];
}

function snapshotOf({ memory, changes, events }: Moment): Snapshot {
  return { memory: new Uint8Array(memory).slice(), changes: [...changes()], events: [...events] };
}

/**
 * A call that has run and is walked through, from one call of the host to the next, forwards and
 * backwards. Contracts are deterministic: what stood in memory and state at a step is found by
 * running the call once more, so that none of it is kept.
 */
export class Stepper {
  readonly trace: Trace;
  private readonly rerun: (onMoment: (hostCalls: number, moment: Moment) => void) => Promise<Trace>;
  private done = 0;

  private constructor(trace: Trace, rerun: Stepper["rerun"]) {
    this.trace = trace;
    this.rerun = rerun;
  }

  /** Runs a call on the state that the chain stands at, and stands before its first host call. */
  static async open(chain: LocalChain, contract: BuiltContract, call: LocalCall): Promise<Stepper> {
    const fork = chain.fork();
    const trace = await traceCall(fork, contract, call);
    return new Stepper(trace, (onMoment) => traceCall(fork, contract, call, onMoment));
  }

  /** How many calls of the host lie behind. */
  get position(): number {
    return this.done;
  }

  /** The call of the host that comes next, null at the end. */
  get next(): HostCall | null {
    return this.trace.hostCalls[this.done] ?? null;
  }

  /** The call of the host that came last, null at the start. */
  get last(): HostCall | null {
    return this.trace.hostCalls[this.done - 1] ?? null;
  }

  /** Goes so many calls of the host on, or back below 0; stops at the ends. */
  step(count = 1): void {
    const target = Math.min(this.done + count, this.trace.hostCalls.length);
    this.done = Math.max(0, target);
  }

  /** Goes on until a wanted call is next, at least one step; without one, to the end. */
  runTo(isWanted: (call: HostCall) => boolean): boolean {
    const { hostCalls } = this.trace;
    const found = hostCalls.findIndex((call, index) => index > this.done && isWanted(call));
    this.done = found < 0 ? hostCalls.length : found;
    return found >= 0;
  }

  /** What the contract holds where the walk stands. */
  async snapshot(): Promise<Snapshot> {
    const snapshots: Snapshot[] = [];
    await this.rerun((hostCalls, moment) => {
      if (hostCalls === this.done) snapshots.push(snapshotOf(moment));
    });
    const last = snapshots.at(-1);
    if (last === undefined) throw new RangeError("the call runs otherwise than before");
    return last;
  }
}
