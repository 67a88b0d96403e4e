import { readdir, readFile, statfs } from "node:fs/promises";
import { availableParallelism, freemem, loadavg, totalmem } from "node:os";
import type { MethodResult } from "@credlink/api";
import type { Clock } from "@credlink/primitives";

/** How often the process's use of processors is measured, milliseconds. */
const MEASURE_MS = 1_000;

/** What a node uses of its machine. */
export interface ResourceMeter {
  read(): Promise<MethodResult<"node.resources">>;
  stop(): void;
}

/** Files that the process has open and may have; null where the machine does not say. */
export async function readOpenFiles(): Promise<{
  readonly open: number | null;
  readonly limit: number | null;
}> {
  try {
    const [names, limits] = await Promise.all([
      readdir("/proc/self/fd"),
      readFile("/proc/self/limits", "utf8"),
    ]);
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return { open: names.length, limit: soft === undefined ? null : Number(soft) };
  } catch {
    return { open: null, limit: null };
  }
}

/** Size and free space of the file system that holds a folder, bytes. */
export async function readDisk(
  folder: string,
): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
  const { bsize, blocks, bavail } = await statfs(folder);
  return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
}

/** Measures from now on; `folder` is the one that holds the node's data. */
export function createResourceMeter(folder: string, clock: Clock): ResourceMeter {
  let processorUse = 0;
  let before = { usage: process.cpuUsage(), atMs: clock.monotonicMs() };
  let cancel = (): void => undefined;
  const measure = (): void => {
    const { user, system } = process.cpuUsage(before.usage);
    const nowMs = clock.monotonicMs();
    const elapsedMs = Math.max(1, nowMs - before.atMs);
    processorUse = Math.round((user + system) / elapsedMs) / 1_000;
    before = { usage: process.cpuUsage(), atMs: nowMs };
    cancel = clock.schedule(MEASURE_MS, measure);
  };
  cancel = clock.schedule(MEASURE_MS, measure);
  return {
    async read() {
      const [disk, openFiles] = await Promise.all([readDisk(folder), readOpenFiles()]);
      return {
        processors: availableParallelism(),
        processorUse,
        loadAverage: loadavg(),
        memory: {
          totalBytes: totalmem(),
          freeBytes: freemem(),
          residentBytes: process.memoryUsage.rss(),
        },
        disk,
        openFiles,
      };
    },
    stop: () => cancel(),
  };
}
