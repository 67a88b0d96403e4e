import {
  distributeKey,
  exportKey,
  importKey,
  type KeyKind,
  openStore,
  openStoredSigner,
  receiveKey,
} from "@credlink/keys";
import type { Command } from "commander";
import { readTextOf } from "../connection.ts";
import { readPassword, readPublicKey, writeNewFile } from "../key-input.ts";
import type { CommandContext } from "./context.ts";
import { answerKey, type KeyOptions, keyCommand, kindOption } from "./key-options.ts";

interface ImportOptions extends KeyOptions {
  readonly in: string;
  readonly kind: KeyKind;
  readonly inPasswordFile?: string;
  readonly passwordFile: string;
  readonly dev?: boolean;
}

interface ReceiveOptions extends KeyOptions {
  readonly in: string;
  readonly from: string;
  readonly recipient: string;
  readonly recipientPasswordFile: string;
  readonly passwordFile: string;
}

/** `key import | export | distribute | receive`. */
export function addKeyTransferCommands(key: Command, context: CommandContext): void {
  addImport(key, context);
  addExport(key, context);
  addDistribute(key, context);
  addReceive(key, context);
}

function addImport(key: Command, context: CommandContext): void {
  keyCommand(key, "import <name>", "take an encrypted key file of any tool into the store")
    .requiredOption("--in <file>", "PKCS#8 under PBES2, as credlink, GmSSL and OpenSSL write it")
    .option("--in-password-file <file>", "its password")
    .addOption(kindOption())
    .requiredOption("--password-file <file>", "its new password in the store")
    .option("--dev", "take a plaintext key too: for development only")
    .action((name: string, options: ImportOptions) =>
      context.run(options.json ?? false, async () => {
        const { inPasswordFile, kind, dev = false } = options;
        const access = {
          allowPlaintext: dev,
          ...(inPasswordFile === undefined ? {} : { password: readPassword(inPasswordFile) }),
        };
        const pem = readTextOf(options.in);
        const password = readPassword(options.passwordFile);
        const store = await openStore(options.store);
        return answerKey(await importKey(store, { name, kind, pem, access, password }));
      }),
    );
}

function addExport(key: Command, context: CommandContext): void {
  keyCommand(key, "export <key>", "write a key to a file under a password of its own")
    .requiredOption("--out <file>", "new file")
    .requiredOption("--password-file <file>", "the key's password in the store")
    .requiredOption("--export-password-file <file>", "the new file's")
    .action(
      (
        selector: string,
        options: KeyOptions & {
          readonly out: string;
          readonly passwordFile: string;
          readonly exportPasswordFile: string;
        },
      ) =>
        context.run(options.json ?? false, async () => {
          const pem = await exportKey(await openStore(options.store), selector, {
            password: readPassword(options.passwordFile),
            exportPassword: readPassword(options.exportPasswordFile),
          });
          writeNewFile(options.out, pem);
          return { value: { out: options.out }, text: `written to ${options.out}` };
        }),
    );
}

function addDistribute(key: Command, context: CommandContext): void {
  keyCommand(key, "distribute <key>", "encrypt a key for another holder's SM2 key, signed")
    .requiredOption("--to <file>", "the recipient's certificate or public key (kind encryption)")
    .requiredOption("--sign-as <key>", "the key of this store that vouches for it")
    .requiredOption("--out <file>", "new file for the envelope")
    .requiredOption("--password-file <file>", "the password of both keys, unless the next is given")
    .option("--sign-password-file <file>", "the password of the signing key")
    .action((selector: string, options: DistributeOptions) =>
      context.run(options.json ?? false, async () => {
        const store = await openStore(options.store);
        const password = readPassword(options.passwordFile);
        const signPassword = readPassword(options.signPasswordFile ?? options.passwordFile);
        const recipientKey = readPublicKey(options.to);
        const signer = await openStoredSigner(store, options.signAs, signPassword);
        const text = await distributeKey(store, selector, { password, recipientKey, signer });
        writeNewFile(options.out, text);
        return { value: { out: options.out }, text: `written to ${options.out}` };
      }),
    );
}

interface DistributeOptions extends KeyOptions {
  readonly to: string;
  readonly signAs: string;
  readonly out: string;
  readonly passwordFile: string;
  readonly signPasswordFile?: string;
}

function addReceive(key: Command, context: CommandContext): void {
  keyCommand(key, "receive <name>", "take a distributed key into the store")
    .requiredOption("--in <file>", "the envelope")
    .requiredOption("--from <file>", "the certificate or public key of who must have signed it")
    .requiredOption("--recipient <key>", "the key of this store that it was encrypted for")
    .requiredOption("--recipient-password-file <file>", "that key's password")
    .requiredOption("--password-file <file>", "the new key's password")
    .action((name: string, options: ReceiveOptions) =>
      context.run(options.json ?? false, async () => {
        const store = await openStore(options.store);
        const received = await receiveKey(store, {
          name,
          envelope: readTextOf(options.in),
          senderKey: readPublicKey(options.from),
          recipient: {
            selector: options.recipient,
            password: readPassword(options.recipientPasswordFile),
          },
          password: readPassword(options.passwordFile),
        });
        return answerKey(received);
      }),
    );
}
