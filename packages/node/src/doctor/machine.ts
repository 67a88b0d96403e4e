import { getCurves } from "node:crypto";
import { open, rm, stat } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { readDisk, readOpenFiles } from "../control/resources.ts";
import { atLeast, atMost, type DoctorFinding, finding } from "./errors.ts";
import { needs } from "./needs.ts";

/** Writes that are timed. */
const WRITES = 20;
const WRITE_BYTES = 4_096;
const MIB = 1024 * 1024;

function inMib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}

/** Runtime, processors, memory and open files of the process that looks. */
export async function examineMachine(): Promise<readonly DoctorFinding[]> {
  const { node, openssl } = process.versions;
  const hasSm2 = getCurves().includes("SM2");
  const runtime = hasSm2 ? atLeast(Number(node.split(".")[0]), needs.nodeVersion) : "error";
  const processors = availableParallelism();
  const memory = totalmem();
  const { limit } = await readOpenFiles();
  const isKnown = limit !== null;
  return [
    finding("NODE_DOCTOR_RUNTIME", runtime, "runtime", `Node.js ${node}, OpenSSL ${openssl}`),
    finding(
      "NODE_DOCTOR_PROCESSORS",
      atLeast(processors, needs.processors),
      "processors",
      String(processors),
    ),
    finding("NODE_DOCTOR_MEMORY", atLeast(memory, needs.memoryBytes), "memory", inMib(memory)),
    finding(
      "NODE_DOCTOR_OPEN_FILES",
      isKnown ? atLeast(limit, needs.openFiles) : "info",
      "open files",
      isKnown ? `at most ${limit}` : "the system does not say",
    ),
  ];
}

/** The nearest folder that exists, for one that the first start will make. */
async function existing(folder: string): Promise<string> {
  try {
    await stat(folder);
    return folder;
  } catch {
    return dirname(folder) === folder ? folder : existing(dirname(folder));
  }
}

/** Median time of a small durable write in a folder, milliseconds. */
async function timeWrites(folder: string): Promise<number> {
  const path = join(folder, `.doctor-${process.pid}`);
  const file = await open(path, "w", 0o600);
  try {
    const times: number[] = [];
    for (let index = 0; index < WRITES; index++) {
      const startMs = performance.now();
      await file.write(new Uint8Array(WRITE_BYTES), 0, WRITE_BYTES, index * WRITE_BYTES);
      await file.datasync();
      times.push(performance.now() - startMs);
    }
    return times.sort((a, b) => a - b)[WRITES / 2] ?? 0;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

/** Who may enter the data folder; the first start makes one that is not there, for its user alone. */
async function examineFolder(dataDir: string, place: string): Promise<DoctorFinding> {
  if (place !== dataDir) {
    return finding(
      "NODE_DOCTOR_FOLDER",
      "info",
      dataDir,
      "not there yet: the first start makes it",
    );
  }
  const { mode } = await stat(dataDir);
  const isOpen = (mode & 0o077) !== 0;
  const rights = `mode ${(mode & 0o777).toString(8)}`;
  return finding("NODE_DOCTOR_FOLDER", isOpen ? "warn" : "ok", dataDir, rights);
}

/** Space, rights and speed of the data folder's file system. */
export async function examineDisk(dataDir: string): Promise<readonly DoctorFinding[]> {
  const place = await existing(dataDir);
  const { freeBytes } = await readDisk(place);
  const found = [
    finding(
      "NODE_DOCTOR_DISK",
      atLeast(freeBytes, needs.freeDiskBytes),
      "free disk",
      `${inMib(freeBytes)} at ${place}`,
    ),
  ];
  try {
    found.push(await examineFolder(dataDir, place));
    const medianMs = await timeWrites(place);
    const severity = atMost(medianMs, needs.syncMs);
    const detail = `${medianMs.toFixed(2)} ms, median of ${WRITES}`;
    found.push(finding("NODE_DOCTOR_SYNC", severity, "durable write", detail));
  } catch (error) {
    found.push(finding("NODE_DOCTOR_FOLDER", "error", dataDir, String(error)));
  }
  return found;
}
