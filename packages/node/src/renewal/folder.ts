import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { generateKeyPair, saveKeyFile } from "@credlink/crypto";
import type { NodeConfig } from "../config/schema.ts";
import { replaceFile, syncFolder } from "../storage/durable-file.ts";

type IdentityFiles = Pick<NodeConfig["identity"], "certificate" | "key">;

/** Where a renewal keeps what it made: beside the key file, in a folder of its own. */
export function renewalFiles({ key }: Pick<IdentityFiles, "key">) {
  const folder = `${key}.renewal`;
  return {
    folder,
    /** The key that is to follow, encrypted like the present one. */
    key: join(folder, "next.key"),
    /** Its certificate and the CAs above it, PEM. */
    certificate: join(folder, "next.crt"),
    /** There once the next key was sent to the chain. */
    announced: join(folder, "announced"),
    /** There while the next key and certificate take the place of the present ones. */
    switching: join(folder, "switching"),
    /** Keys and certificates that were replaced. */
    archive: join(folder, "archive"),
  };
}

/** Makes the key that is to follow, in a file that its owner alone may read, before anybody hears of it. */
export async function makeNextKey(identity: IdentityFiles, password: string): Promise<void> {
  const files = renewalFiles(identity);
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPair();
  try {
    await saveKeyFile(files.key, privateKey, { password });
  } finally {
    privateKey.fill(0);
  }
  await syncFolder(files.folder);
  await syncFolder(dirname(files.folder));
}

/** Notes that the chain is told of the next key from now on. */
export async function noteAnnounced(identity: IdentityFiles): Promise<void> {
  await replaceFile(renewalFiles(identity).announced, "");
}

async function copyDurably(from: string, to: string): Promise<void> {
  await replaceFile(to, await readFile(from, "utf8"));
}

/**
 * Archives the present key and certificate under the certificate's serial number, and puts the next
 * ones in their place. What a crash leaves undone the next start ends.
 */
export async function switchOver(identity: IdentityFiles, serialNumber: string): Promise<void> {
  const files = renewalFiles(identity);
  await mkdir(files.archive, { recursive: true, mode: 0o700 });
  await copyDurably(identity.certificate, join(files.archive, `${serialNumber}.crt`));
  await copyDurably(identity.key, join(files.archive, `${serialNumber}.key`));
  await syncFolder(files.folder);
  await replaceFile(files.switching, "");
  await finishSwitch(identity);
}

/** Ends a switch that was begun; does nothing where none was. */
export async function finishSwitch(identity: IdentityFiles): Promise<void> {
  const files = renewalFiles(identity);
  if (!existsSync(files.switching)) return;
  if (existsSync(files.certificate)) await copyDurably(files.certificate, identity.certificate);
  if (existsSync(files.key)) await copyDurably(files.key, identity.key);
  // The note goes last: until then both copies can be made again.
  for (const path of [files.certificate, files.key, files.announced, files.switching]) {
    await rm(path, { force: true });
    await syncFolder(files.folder);
  }
}
