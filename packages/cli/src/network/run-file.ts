import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { networkPaths } from "./layout.ts";

const started = z.object({ pid: z.number().int().positive(), startedAt: z.string() });

const runSchema = z.object({
  /** The process that supervises the nodes. */
  supervisor: started,
  nodes: z.array(started.extend({ name: z.string() })),
});

/** Who runs a network now. */
export type RunState = z.infer<typeof runSchema>;

/**
 * When a process began, as the kernel counts it: tells a process from a later one that was given
 * the same id. Empty where the machine does not say; then the id alone must do.
 */
export function processStart(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command in parentheses may hold anything; fields are counted from its end.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/** A process by id and start. */
export function identifyProcess(pid: number): z.infer<typeof started> {
  return { pid, startedAt: processStart(pid) };
}

/** Whether exactly this process still runs; one that ended and was not yet reaped does not. */
export function isRunning(process_: { readonly pid: number; readonly startedAt: string }): boolean {
  try {
    process.kill(process_.pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return processStart(process_.pid) === process_.startedAt && !isZombie(process_.pid);
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return false;
  }
}

/** Writes the state whole or not at all. */
export function writeRunState(dir: string, state: RunState): void {
  const { run } = networkPaths(dir);
  writeFileSync(`${run}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${run}.new`, run);
}

/** Null when the network was never started, was stopped, or its supervisor is gone. */
export function readRunState(dir: string): RunState | null {
  let text: string;
  try {
    text = readFileSync(networkPaths(dir).run, "utf8");
  } catch {
    return null;
  }
  try {
    const state = runSchema.safeParse(JSON.parse(text));
    return state.success && isRunning(state.data.supervisor) ? state.data : null;
  } catch {
    return null;
  }
}

export function removeRunState(dir: string): void {
  rmSync(networkPaths(dir).run, { force: true });
}
