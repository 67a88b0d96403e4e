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
import type { SeedOptions } from "./command-line.ts";
import type { Tally } from "./tally.ts";

/** Seeds in one slice: `from` is 1 more than a multiple of it, or the first seed asked for. */
export const SLICE_SEEDS = 1_000;

/** One file of a slice folder. */
export interface Slice extends Tally {
  readonly from: number;
  readonly options: SeedOptions;
  /** Of the source that ran; "+" behind it: with changes that were not committed. */
  readonly commit: string | null;
  /** When it ended, ISO 8601. */
  readonly endedAt: string;
}

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

function nameOf({ profile, validators, heights }: SeedOptions, from: number, count: number) {
  const parts = [profile, `n${validators ?? "any"}`, `h${heights ?? "any"}`, from, count];
  return `${parts.join("-")}.json`;
}

/** Whether a slice with the same options was run before. */
export function hasSlice(folder: string, options: SeedOptions, from: number, count: number) {
  return existsSync(join(folder, nameOf(options, from, count)));
}

/** Writes a slice in one step: a file that is there is whole. */
export function writeSlice(folder: string, slice: Slice): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, nameOf(slice.options, slice.from, slice.seeds));
  writeFileSync(`${path}.part`, `${JSON.stringify(slice, null, 2)}\n`);
  renameSync(`${path}.part`, path);
}

/** All slices of a folder, in the order of their names. */
export function readSlices(folder: string): readonly Slice[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Slice);
}
