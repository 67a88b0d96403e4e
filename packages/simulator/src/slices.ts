import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Unit } from "./worker-pool.ts";

/** One file of a slice folder: what came of a part of a command's work. */
export type Slice<Tally, Asked> = Tally &
  Unit & {
    /** What the command asked for, as far as it decides the result. */
    readonly options: Asked;
    /** Of the source that ran; "+" behind it: with changes that were not committed. */
    readonly commit: string | null;
    /** When it ended, ISO 8601. */
    readonly endedAt: string;
  };

/** The commit that is checked out, or null outside a repository. */
export function currentCommit(): string | null {
  const git = (...args: readonly string[]): string =>
    execFileSync("git", [...args], { encoding: "utf8", cwd: import.meta.dirname }).trim();
  try {
    const isDirty = git("status", "--porcelain", "--untracked-files=no") !== "";
    return git("rev-parse", "HEAD") + (isDirty ? "+" : "");
  } catch {
    return null;
  }
}

function pathOf(folder: string, name: string, { from, count }: Unit): string {
  return join(folder, `${name}-${from}-${count}.json`);
}

/** A slice that was run before under the same name, or null. */
export function readSlice<Tally, Asked>(
  folder: string,
  name: string,
  unit: Unit,
): Slice<Tally, Asked> | null {
  const path = pathOf(folder, name, unit);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

/** Writes a slice in one step: a file that is there is whole. */
export function writeSlice<Tally, Asked>(
  folder: string,
  name: string,
  slice: Slice<Tally, Asked>,
): void {
  mkdirSync(folder, { recursive: true });
  const path = pathOf(folder, name, slice);
  writeFileSync(`${path}.part`, `${JSON.stringify(slice, null, 2)}\n`);
  renameSync(`${path}.part`, path);
}

/** All slices of a folder whose names begin with one of these words, in the order of their names. */
export function readSlices<Tally, Asked>(
  folder: string,
  words: readonly string[],
): readonly Slice<Tally, Asked>[] {
  const names = readdirSync(folder).filter(
    (name) => name.endsWith(".json") && words.some((word) => name.startsWith(`${word}-`)),
  );
  return names.sort().map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
}
