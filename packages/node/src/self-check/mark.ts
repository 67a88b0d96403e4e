import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "@credlink/ledger";
import { toHex } from "@credlink/primitives";
import { z } from "zod";
import { replaceFile, syncFolder } from "../storage/durable-file.ts";

/** File in the data folder that says that the node's data cannot be trusted. */
const MARK_FILE = "polluted.json";
/** Findings that a mark names; more say nothing new. */
const MAX_FINDINGS = 100;

const markSchema = z.object({
  findings: z.array(
    z.object({
      code: z.string(),
      /** Class of data; absent when whoever met the damage could not tell. */
      space: z.string().optional(),
      /** Hexadecimal. */
      key: z.string().optional(),
      height: z.number().optional(),
      contract: z.string().optional(),
      /** Hexadecimal. */
      stateKey: z.string().optional(),
      detail: z.string(),
    }),
  ),
});

/** What was found polluted; it stands until the node is repaired. */
export type PollutionMark = z.infer<typeof markSchema>;

/** A fault of the node's own data: found by a check, or met by a read that knew less of it. */
export type DataFault = Partial<Omit<Finding, "code" | "detail">> & {
  readonly code: string;
  readonly detail: string;
};

/** A finding as marks, logs and the command line tell it. */
export function describeFinding(finding: DataFault): PollutionMark["findings"][number] {
  const { code, space, key, height, contract, stateKey, detail } = finding;
  return {
    code,
    ...(space === undefined ? {} : { space }),
    ...(key === undefined ? {} : { key: toHex(key) }),
    ...(height === undefined ? {} : { height }),
    ...(contract === undefined ? {} : { contract }),
    ...(stateKey === undefined ? {} : { stateKey: toHex(stateKey) }),
    detail,
  };
}

/** The mark of a data folder; a mark that cannot be read counts as one. */
export async function readMark(dataDir: string): Promise<PollutionMark | null> {
  let text: string;
  try {
    text = await readFile(join(dataDir, MARK_FILE), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  try {
    return markSchema.parse(JSON.parse(text));
  } catch {
    return { findings: [] };
  }
}

/** Writes the mark durably: it must outlive the process that found out. */
export async function writeMark(dataDir: string, findings: readonly DataFault[]): Promise<void> {
  const path = join(dataDir, MARK_FILE);
  const mark = { findings: findings.slice(0, MAX_FINDINGS).map(describeFinding) };
  await replaceFile(path, `${JSON.stringify(mark)}\n`);
}

/** Takes the mark away: the data were made anew. */
export async function removeMark(dataDir: string): Promise<void> {
  await rm(join(dataDir, MARK_FILE), { force: true });
  await syncFolder(dataDir);
}
