import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { decryptPrivateKey, publicKeyFromPrivate, wipe } from "@credlink/crypto";
import {
  type BackupProtection,
  backUpKeys,
  type Custodian,
  describeBackup,
  openStore,
  recoverKeys,
  type ShareAccess,
} from "@credlink/keys";
import type { Command } from "commander";
import { readTextOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import { describeKey, readPassword, readPublicKey, splitPair, writeNewFile } from "../key-input.ts";
import type { CommandContext } from "./context.ts";
import { type KeyOptions, keyCommand } from "./key-options.ts";
import { wholeNumber } from "./network.ts";
import { renderFields } from "./read.ts";

interface BackupOptions extends KeyOptions {
  readonly out: string;
  readonly passwordFile: string;
  readonly backupPasswordFile?: string;
  readonly custodian?: readonly string[];
  readonly custodianPassword?: readonly string[];
  readonly threshold?: number;
  readonly sharesDir?: string;
}

interface RecoverOptions extends KeyOptions {
  readonly in: string;
  readonly passwordFile: string;
  readonly backupPasswordFile?: string;
  readonly share?: readonly string[];
  readonly shareKey?: readonly string[];
  readonly auditLog?: string;
}

const collect = (value: string, list: readonly string[] = []): readonly string[] => [
  ...list,
  value,
];

/** `key backup | recover | backup-info`. */
export function addKeyBackupCommands(key: Command, context: CommandContext): void {
  addBackup(key, context);
  addRecover(key, context);
  key
    .command("backup-info <file>")
    .description("what a backup says of itself: keys, custodians, threshold")
    .option("--json", "print one JSON document")
    .action((file: string, options: { readonly json?: boolean }) =>
      context.run(options.json ?? false, async () => {
        const value = describeBackup(readTextOf(file));
        return { value, text: renderFields(value) };
      }),
    );
}

function addBackup(key: Command, context: CommandContext): void {
  keyCommand(key, "backup <keys...>", "back keys up, under a password or among custodians")
    .requiredOption("--out <file>", "new file for the backup")
    .requiredOption("--password-file <file>", "the keys' password in the store")
    .option("--backup-password-file <file>", "the backup's password, when it is not split")
    .option("--custodian <name=file>", "a custodian and their certificate or public key", collect)
    .option("--custodian-password <name=file>", "a custodian and their password file", collect)
    .option("--threshold <k>", "how many custodians must come together", wholeNumber)
    .option("--shares-dir <dir>", "folder for the custodians' shares")
    .action((selectors: readonly string[], options: BackupOptions) =>
      context.run(options.json ?? false, async () => {
        const protection = readProtection(options);
        const store = await openStore(options.store);
        const password = readPassword(options.passwordFile);
        const selection = selectors.map((selector) => ({ selector, password }));
        const files = await backUpKeys(store, selection, protection);
        writeNewFile(options.out, files.backup);
        const shares = files.shares.map(({ custodian, index, text }) => {
          const file = join(options.sharesDir ?? ".", `${custodian}.share`);
          writeNewFile(file, text);
          return { custodian, index, file };
        });
        const value = { backup: files.id, out: options.out, shares };
        return { value, text: renderFields(value) };
      }),
    );
}

/** @throws CliError CLI_OPTIONS_CONFLICT */
function readProtection(options: BackupOptions): BackupProtection {
  const { backupPasswordFile, custodian = [], custodianPassword = [] } = options;
  const custodians: Custodian[] = [
    ...custodian.map((each) => {
      const [name, file] = splitPair(each, "--custodian");
      return { name, lock: { publicKey: readPublicKey(file) } };
    }),
    ...custodianPassword.map((each) => {
      const [name, file] = splitPair(each, "--custodian-password");
      return { name, lock: { password: readPassword(file) } };
    }),
  ];
  if (backupPasswordFile !== undefined && custodians.length === 0) {
    return { password: readPassword(backupPasswordFile) };
  }
  const { threshold, sharesDir } = options;
  if (backupPasswordFile !== undefined || threshold === undefined || sharesDir === undefined) {
    throw new CliError(
      "CLI_OPTIONS_CONFLICT",
      "give --backup-password-file, or custodians with --threshold and --shares-dir",
    );
  }
  mkdirSync(sharesDir, { recursive: true, mode: 0o700 });
  return { custodians, threshold };
}

function addRecover(key: Command, context: CommandContext): void {
  keyCommand(key, "recover", "bring the keys of a backup into a store")
    .requiredOption("--in <file>", "the backup")
    .requiredOption("--password-file <file>", "the keys' new password in the store")
    .option("--backup-password-file <file>", "the backup's password, when it is not split")
    .option("--share <share=file>", "a share file and the file of its password", collect)
    .option(
      "--share-key <share=key=file>",
      "a share file, its custodian's key file, its password",
      collect,
    )
    .option("--audit-log <file>", "another store's audit.log: what it destroyed stays destroyed")
    .action((options: RecoverOptions) =>
      context.run(options.json ?? false, async () => {
        const { auditLog, backupPasswordFile } = options;
        const store = await openStore(options.store);
        const shares = readShares(options);
        try {
          const records = await recoverKeys(store, {
            backup: readTextOf(options.in),
            access:
              backupPasswordFile === undefined
                ? { shares }
                : { password: readPassword(backupPasswordFile) },
            password: readPassword(options.passwordFile),
            ...(auditLog === undefined ? {} : { auditLog: readTextOf(auditLog) }),
          });
          const value = records.map(describeKey);
          return { value, text: value.map(renderFields).join("\n\n") };
        } finally {
          for (const { access } of shares) if ("privateKey" in access) wipe(access.privateKey);
        }
      }),
    );
}

function readShares(
  options: RecoverOptions,
): readonly { readonly text: string; readonly access: ShareAccess }[] {
  const byPassword = (options.share ?? []).map((each) => {
    const [share, file] = splitPair(each, "--share");
    return { text: readTextOf(share), access: { password: readPassword(file) } };
  });
  const byKey = (options.shareKey ?? []).map((each) => {
    const [share, rest] = splitPair(each, "--share-key");
    const [keyFile, passwordFile] = splitPair(rest, "--share-key");
    const privateKey = decryptPrivateKey(readTextOf(keyFile), readPassword(passwordFile));
    const access = { privateKey, publicKey: publicKeyFromPrivate(privateKey) };
    return { text: readTextOf(share), access };
  });
  return [...byPassword, ...byKey];
}
