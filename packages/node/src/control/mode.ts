import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { NodeMode } from "@credlink/api";
import type { Metrics } from "@credlink/primitives";
import { z } from "zod";
import { replaceFile } from "../storage/durable-file.ts";
import { controlMetrics } from "./metrics.ts";

/** What an administrator wants of the node; it holds until another request, over restarts too. */
export type WantedMode = "running" | "draining" | "standby";

const FILE = "mode.json";
const fileSchema = z.object({ mode: z.enum(["running", "draining", "standby"]) });

/** The mode that a node is in, and is to be in at its next start. */
export interface ModeKeeper {
  readonly wanted: WantedMode;
  /** `drained`: it is draining and nothing that it accepted is open any more. */
  readonly mode: NodeMode;
  /** Durable when it resolves. */
  want(mode: WantedMode): Promise<void>;
  /** Whether all that was accepted is finished. */
  setDrained(isDrained: boolean): void;
  onChange(listener: (mode: NodeMode) => void): void;
}

async function readWanted(path: string): Promise<WantedMode> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(path, "utf8"))).mode;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    // Whoever cannot tell whether it was stopped stays stopped.
    return isMissing ? "running" : "standby";
  }
}

class FileModeKeeper implements ModeKeeper {
  readonly #path: string;
  readonly #metrics: Metrics;
  readonly #listeners: ((mode: NodeMode) => void)[] = [];
  #wanted: WantedMode;
  #isDrained = false;

  constructor(path: string, wanted: WantedMode, metrics: Metrics) {
    this.#path = path;
    this.#wanted = wanted;
    this.#metrics = metrics;
    this.#measure();
  }

  get wanted(): WantedMode {
    return this.#wanted;
  }

  get mode(): NodeMode {
    return this.#wanted === "draining" && this.#isDrained ? "drained" : this.#wanted;
  }

  async want(mode: WantedMode): Promise<void> {
    await replaceFile(this.#path, `${JSON.stringify({ mode })}\n`);
    if (mode === this.#wanted) return;
    this.#wanted = mode;
    this.#isDrained = false;
    this.#tell();
  }

  setDrained(isDrained: boolean): void {
    if (this.#isDrained === isDrained || this.#wanted !== "draining") return;
    this.#isDrained = isDrained;
    this.#tell();
  }

  onChange(listener: (mode: NodeMode) => void): void {
    this.#listeners.push(listener);
  }

  #tell(): void {
    this.#measure();
    for (const listener of this.#listeners) listener(this.mode);
  }

  #measure(): void {
    const gauge = this.#metrics.gauge(controlMetrics.mode);
    for (const mode of ["running", "draining", "drained", "standby"] as const) {
      gauge.set(mode === this.mode ? 1 : 0, { mode });
    }
  }
}

/** Opens the node's mode; a file that cannot be read means standby. */
export async function openMode(folder: string, metrics: Metrics): Promise<ModeKeeper> {
  const path = join(folder, FILE);
  return new FileModeKeeper(path, await readWanted(path), metrics);
}
