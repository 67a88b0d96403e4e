import {
  createSm3,
  publicKeyFromPrivate,
  publicKeyToPem,
  sm2Verify,
  systemRandom,
  taggedSm3,
} from "@credlink/crypto";
import {
  openEnvelope,
  openStore,
  openStoredSigner,
  sealEnvelope,
  showKey,
  useKey,
} from "@credlink/keys";
import { fromHex, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { readTextOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import { readBytes, readPassword, readPublicKey, writeNewFile } from "../key-input.ts";
import { exitCodes } from "../output.ts";
import type { CommandContext } from "./context.ts";
import { type KeyOptions, keyCommand } from "./key-options.ts";

/** What a signature of `key sign` covers; no message of the chain has this domain. */
const DOCUMENT_DOMAIN = "credlink/document/1";

function documentDigest(path: string): Uint8Array {
  return taggedSm3(DOCUMENT_DOMAIN, createSm3().update(readBytes(path)).digest());
}

interface UseOptions extends KeyOptions {
  readonly in: string;
  readonly out: string;
  readonly passwordFile: string;
}

/** `key public | sign | verify | seal | open`. */
export function addKeyUseCommands(key: Command, context: CommandContext): void {
  keyCommand(key, "public <key>", "write a key's public half as PEM")
    .requiredOption("--out <file>", "new file")
    .action((selector: string, options: KeyOptions & { readonly out: string }) =>
      context.run(options.json ?? false, async () => {
        const { record } = await showKey(await openStore(options.store), selector);
        writeNewFile(options.out, publicKeyToPem(fromHex(record.publicKey)));
        const value = { id: record.id, publicKey: record.publicKey, out: options.out };
        return { value, text: `written to ${options.out}` };
      }),
    );
  addSigning(key, context);
  addSealing(key, context);
}

function addSigning(key: Command, context: CommandContext): void {
  keyCommand(key, "sign <key>", "sign a file")
    .requiredOption("--in <file>", "what to sign")
    .requiredOption("--out <file>", "new file for the signature, 128 hex digits")
    .requiredOption("--password-file <file>", "the key's password")
    .action((selector: string, options: UseOptions) =>
      context.run(options.json ?? false, async () => {
        const store = await openStore(options.store);
        const signer = await openStoredSigner(store, selector, readPassword(options.passwordFile));
        const signature = toHex(await signer.sign(documentDigest(options.in)));
        writeNewFile(options.out, `${signature}\n`);
        return { value: { signature, out: options.out }, text: `written to ${options.out}` };
      }),
    );
  key
    .command("verify")
    .description("verify a file's signature under a public key, whatever became of the private one")
    .requiredOption("--in <file>", "what was signed")
    .requiredOption("--signature <file>", "what `key sign` wrote")
    .requiredOption("--public-key <file>", "a certificate, a PEM public key or its hex digits")
    .option("--json", "print one JSON document")
    .action((options: VerifyOptions) =>
      context.run(options.json ?? false, async () => {
        const text = readTextOf(options.signature).trim();
        if (!/^[0-9a-f]{128}$/.test(text)) {
          throw new CliError("CLI_FILE_MALFORMED", `${options.signature}: not 128 hex digits`);
        }
        const publicKey = readPublicKey(options.publicKey);
        const verified = sm2Verify(publicKey, documentDigest(options.in), fromHex(text));
        return {
          value: { verified },
          text: verified ? "the signature verifies" : "the signature does NOT verify",
          exitCode: verified ? exitCodes.done : exitCodes.unverified,
        };
      }),
    );
}

interface VerifyOptions {
  readonly in: string;
  readonly signature: string;
  readonly publicKey: string;
  readonly json?: boolean;
}

function addSealing(key: Command, context: CommandContext): void {
  keyCommand(key, "seal <key>", "sign a file, then encrypt both for one recipient")
    .requiredOption("--in <file>", "what to seal, at most 4 MiB")
    .requiredOption("--to <file>", "the recipient's certificate or public key")
    .requiredOption("--out <file>", "new file for the envelope")
    .requiredOption("--password-file <file>", "the signing key's password")
    .action((selector: string, options: UseOptions & { readonly to: string }) =>
      context.run(options.json ?? false, async () => {
        const store = await openStore(options.store);
        const signer = await openStoredSigner(store, selector, readPassword(options.passwordFile));
        const recipientKey = readPublicKey(options.to);
        const input = { purpose: "message", recipientKey, content: readBytes(options.in) } as const;
        writeNewFile(options.out, await sealEnvelope({ random: systemRandom, signer }, input));
        return { value: { out: options.out }, text: `written to ${options.out}` };
      }),
    );
  keyCommand(key, "open <key>", "open what was sealed for a key of kind encryption")
    .requiredOption("--in <file>", "the envelope")
    .requiredOption("--from <file>", "the certificate or public key of who must have signed it")
    .requiredOption("--out <file>", "new file for the content")
    .requiredOption("--password-file <file>", "the key's password")
    .action((selector: string, options: UseOptions & { readonly from: string }) =>
      context.run(options.json ?? false, async () => {
        const password = readPassword(options.passwordFile);
        const use = { selector, password, operation: "decrypt" } as const;
        const senderKey = readPublicKey(options.from);
        const text = readTextOf(options.in);
        const opened = await useKey(await openStore(options.store), use, async (privateKey) => {
          const publicKey = publicKeyFromPrivate(privateKey);
          return openEnvelope(text, { purpose: "message", publicKey, privateKey, senderKey });
        });
        writeNewFile(options.out, opened.content);
        const value = { out: options.out, sender: toHex(opened.senderKey) };
        return { value, text: `written to ${options.out}` };
      }),
    );
}
