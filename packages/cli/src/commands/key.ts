import {
  activateKey,
  archiveKey,
  createStore,
  destroyKey,
  generateKey,
  type KeyKind,
  listKeys,
  openStore,
  readAuditLog,
  resumeKey,
  rotateKey,
  showKey,
  suspendKey,
  titleOf,
} from "@credlink/keys";
import type { Command } from "commander";
import { CUSTODY_NOTICE, confirm, describeKey, readPassword } from "../key-input.ts";
import type { CommandContext } from "./context.ts";
import { addKeyBackupCommands } from "./key-backup.ts";
import { answerKey, type KeyOptions, keyCommand, kindOption } from "./key-options.ts";
import { addKeyTokenCommands } from "./key-token.ts";
import { addKeyTransferCommands } from "./key-transfer.ts";
import { addKeyUseCommands } from "./key-use.ts";
import { renderFields } from "./read.ts";

/** `key …`: the life of keys in a store. */
export function addKeyCommands(program: Command, context: CommandContext): void {
  const key = program
    .command("key")
    .description("keys: generate, use, back up, archive, destroy …");
  addMaking(key, context);
  addStates(key, context);
  addEnds(key, context);
  addLooking(key, context);
  addKeyUseCommands(key, context);
  addKeyTransferCommands(key, context);
  addKeyBackupCommands(key, context);
  addKeyTokenCommands(key, context);
}

function addMaking(key: Command, context: CommandContext): void {
  keyCommand(key, "init", "make an empty key store in a new folder").action((options: KeyOptions) =>
    context.run(options.json ?? false, async () => {
      const { id, folder } = await createStore(options.store);
      return { value: { store: folder, id }, text: `a key store is in ${folder}` };
    }),
  );
  keyCommand(key, "generate <name>", "make a key; it is not in use before `key activate`")
    .addOption(kindOption())
    .requiredOption("--password-file <file>", "its new password, at least 12 characters")
    .action(
      (
        name: string,
        options: KeyOptions & { readonly kind: KeyKind; readonly passwordFile: string },
      ) =>
        context.run(options.json ?? false, async () => {
          const password = readPassword(options.passwordFile);
          const store = await openStore(options.store);
          const record = await generateKey(store, { name, kind: options.kind, password });
          return answerKey(record, `\n\n${CUSTODY_NOTICE}`);
        }),
    );
  keyCommand(key, "rotate <key>", "make its next version, take that into use, archive this one")
    .requiredOption("--password-file <file>", "the password of the version there is")
    .requiredOption("--new-password-file <file>", "the new version's")
    .option("--custody-read", "its holder has read how it must be kept")
    .action((selector: string, options: KeyOptions & RotateOptions) =>
      context.run(options.json ?? false, async () => {
        const input = {
          password: readPassword(options.passwordFile),
          newPassword: readPassword(options.newPasswordFile),
          custodyRead: options.custodyRead ?? false,
        };
        return answerKey(await rotateKey(await openStore(options.store), selector, input));
      }),
    );
}

interface RotateOptions {
  readonly passwordFile: string;
  readonly newPasswordFile: string;
  readonly custodyRead?: boolean;
}

function addStates(key: Command, context: CommandContext): void {
  keyCommand(key, "activate <key>", "take a key into use")
    .option("--custody-read", "its holder has read how it must be kept")
    .action((selector: string, options: KeyOptions & { readonly custodyRead?: boolean }) =>
      context.run(options.json ?? false, async () => {
        const custodyRead = options.custodyRead ?? false;
        const store = await openStore(options.store);
        return answerKey(await activateKey(store, selector, { custodyRead }));
      }),
    );
  keyCommand(key, "suspend <key>", "take a key out of use until `key resume`")
    .requiredOption("--reason <text>", "why; it stands in the audit log")
    .action((selector: string, options: KeyOptions & { readonly reason: string }) =>
      context.run(options.json ?? false, async () =>
        answerKey(await suspendKey(await openStore(options.store), selector, options.reason)),
      ),
    );
  keyCommand(key, "resume <key>", "take a suspended key into use again").action(
    (selector: string, options: KeyOptions) =>
      context.run(options.json ?? false, async () =>
        answerKey(await resumeKey(await openStore(options.store), selector)),
      ),
  );
}

function addEnds(key: Command, context: CommandContext): void {
  keyCommand(key, "archive <key>", "put a key away for good: it verifies and signs no more")
    .requiredOption("--password-file <file>", "the key's password")
    .action((selector: string, options: KeyOptions & { readonly passwordFile: string }) =>
      context.run(options.json ?? false, async () => {
        const password = readPassword(options.passwordFile);
        return answerKey(await archiveKey(await openStore(options.store), selector, password));
      }),
    );
  keyCommand(key, "destroy <key>", "destroy a key for good, also for backups of it")
    .requiredOption("--reason <text>", "why; it stands in the audit log")
    .option("--yes", "do not ask")
    .action(
      (
        selector: string,
        options: KeyOptions & { readonly reason: string; readonly yes?: boolean },
      ) =>
        context.run(options.json ?? false, async () => {
          const store = await openStore(options.store);
          const { record } = await showKey(store, selector);
          await confirm(titleOf(record), "Destroy", options.yes ?? false);
          return answerKey(await destroyKey(store, record.id, options.reason));
        }),
    );
}

function addLooking(key: Command, context: CommandContext): void {
  keyCommand(key, "list", "every key that the store has or had").action((options: KeyOptions) =>
    context.run(options.json ?? false, async () => {
      const value = (await listKeys(await openStore(options.store))).map(describeKey);
      const lines = value.map(({ key: title, kind, state, id }) =>
        [title.padEnd(24), kind.padEnd(10), state.padEnd(10), id.slice(0, 16)].join("  "),
      );
      return { value, text: lines.length === 0 ? "no keys" : lines.join("\n") };
    }),
  );
  keyCommand(key, "show <key>", "one key, and what was done with it").action(
    (selector: string, options: KeyOptions) =>
      context.run(options.json ?? false, async () => {
        const { record, entries } = await showKey(await openStore(options.store), selector);
        const value = { ...describeKey(record), entries };
        const lines = entries.map(({ at, actor, event }) => `${at}  ${actor}  ${event.action}`);
        return { value, text: [renderFields(describeKey(record)), ...lines].join("\n") };
      }),
  );
  keyCommand(key, "audit", "judge the whole audit log and print it").action((options: KeyOptions) =>
    context.run(options.json ?? false, async () => {
      const entries = await readAuditLog(await openStore(options.store));
      const lines = entries.map(
        ({ sequence, at, actor, event }) =>
          `${sequence}  ${at}  ${actor}  ${JSON.stringify(event)}`,
      );
      return { value: { entries, verified: true }, text: lines.join("\n") };
    }),
  );
}
