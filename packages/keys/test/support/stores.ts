import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CryptoError } from "@credlink/crypto";
import { onTestFinished } from "vitest";
import { createStore, KeysError, type Store, type StoreComponents } from "../../src/index.ts";

export const PASSWORD = "密码 long enough 2026";
export const OTHER_PASSWORD = "another password 2026";

/** Few iterations: what PBKDF2 costs is not what these tests are about. */
export const FAST = { iterations: 1_024, actor: "operator" };

/** A folder that is gone after the test. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "credlink-keys-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A new store in a folder of its own. */
export async function makeStore(components: Partial<StoreComponents> = {}): Promise<Store> {
  return createStore(join(await makeFolder(), "store"), { ...FAST, ...components });
}

/** The code that `run` fails with; "nothing" when it does not. */
export async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return "nothing";
  } catch (error) {
    const isTyped = error instanceof KeysError || error instanceof CryptoError;
    return isTyped ? error.code : `other: ${String(error)}`;
  }
}

/** The message that `run` fails with. */
export async function messageOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return "nothing";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
