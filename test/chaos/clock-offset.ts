/**
 * Preloaded into a node's process (`node --import`): moves what the process takes for the time of
 * day by the milliseconds that stand in the file $CHAOS_CLOCK_FILE, read again as it runs. Timers
 * and the monotonic clock go on as they are, as when an operator or NTP sets a machine's clock.
 */
import { readFileSync } from "node:fs";

const READ_EVERY_MS = 100;
const file = process.env.CHAOS_CLOCK_FILE;

if (file !== undefined) {
  const now = Date.now.bind(Date);
  let offsetMs = 0;
  const read = (): void => {
    try {
      offsetMs = Number(readFileSync(file, "utf8")) || 0;
    } catch {
      offsetMs = 0;
    }
  };
  read();
  setInterval(read, READ_EVERY_MS).unref();
  const Real = Date;
  const Moved = class extends Real {
    constructor(...args: readonly unknown[]) {
      if (args.length === 0) super(now() + offsetMs);
      else super(...(args as ConstructorParameters<typeof Date>));
    }
    static override now(): number {
      return now() + offsetMs;
    }
  };
  globalThis.Date = Moved as unknown as DateConstructor;
}
