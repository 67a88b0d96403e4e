import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** What a process has used so far. */
export interface ProcessUsage {
  readonly cpuMs: number;
  /** Largest resident set so far, bytes; 0 where the machine does not say. */
  readonly peakMemoryBytes: number;
}

/** Clock ticks a second in which Linux counts processor time. */
function ticksPerSecond(): number {
  try {
    return Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" })) || 100;
  } catch {
    return 100;
  }
}

const ticks = ticksPerSecond();

/** Processor time and peak memory of a process, from /proc; null where there is none. */
export function readProcessUsage(pid: number): ProcessUsage | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // Fields 14 and 15 of proc(5): user and system time; two fields stand before the cut.
    const used = Number(fields[11]) + Number(fields[12]);
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return { cpuMs: (used * 1000) / ticks, peakMemoryBytes: Number(peak ?? 0) * 1024 };
  } catch {
    return null;
  }
}
