import { invariant } from "@credlink/primitives";
import type { HostCost } from "./gas-schedule.ts";
import { Stop } from "./stop.ts";

/** Gas of one call. Invariant: 0 ≤ remaining ≤ limit. */
export class GasMeter {
  readonly limit: number;
  private left: number;

  constructor(limit: number) {
    invariant(Number.isSafeInteger(limit) && limit >= 0, "a gas limit is a safe integer from 0");
    this.limit = limit;
    this.left = limit;
  }

  get remaining(): number {
    return this.left;
  }

  get used(): number {
    return this.limit - this.left;
  }

  /** Takes `gas`; where it is not there, all that is left goes, and the call ends. */
  charge(gas: number): void {
    if (gas > this.left) this.exhaust();
    this.left -= gas;
  }

  chargeFor(cost: HostCost, bytes: number): void {
    this.charge(cost.base + cost.perByte * bytes);
  }

  /** Takes over what a metered module left. */
  settle(remaining: number): void {
    invariant(remaining <= this.left, "a module never gains gas");
    if (remaining < 0) this.exhaust();
    this.left = remaining;
  }

  private exhaust(): never {
    this.left = 0;
    throw new Stop("VM_OUT_OF_GAS");
  }
}
