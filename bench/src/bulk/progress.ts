import { appendFileSync, readFileSync } from "node:fs";

/** A line of a load's diary: how far one run had come. */
export interface Progress {
  /** When the run began, milliseconds since 1970: tells the runs apart. */
  readonly run: number;
  readonly seconds: number;
  /** Credentials that this run loaded. */
  readonly records: number;
  readonly height: number;
  readonly restarts: number;
  /** Processor time of all nodes together, milliseconds. */
  readonly cpuMs: number;
}

/** What all runs of a load have done together. */
export interface AllRuns {
  readonly runs: number;
  readonly seconds: number;
  readonly records: number;
  readonly restarts: number;
  readonly cpuMs: number;
}

export function appendProgress(path: string, line: Progress): void {
  appendFileSync(path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
}

/** Adds up the last line of each run. A line that a kill cut short is left out. */
export function sumProgress(path: string): AllRuns {
  const last = new Map<number, Progress>();
  for (const text of readLines(path)) {
    try {
      const line = JSON.parse(text) as Progress;
      last.set(line.run, line);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  const lines = [...last.values()];
  const sum = (value: (line: Progress) => number): number =>
    lines.reduce((total, line) => total + value(line), 0);
  return {
    runs: lines.length,
    seconds: sum((line) => line.seconds),
    records: sum((line) => line.records),
    restarts: sum((line) => line.restarts),
    cpuMs: sum((line) => line.cpuMs),
  };
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
