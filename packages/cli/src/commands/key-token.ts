import { resolve } from "node:path";
import { systemRandom } from "@credlink/crypto";
import { DEFAULT_BINDING, wrapNewPassword } from "@credlink/keys";
import type { Command } from "commander";
import { writeNewFile } from "../key-input.ts";
import type { CommandContext } from "./context.ts";

interface WrapOptions {
  readonly module: string;
  readonly token: string;
  readonly key: string;
  readonly pinFile: string;
  readonly binding: string;
  readonly out: string;
  readonly json?: boolean;
}

/** `key wrap-password`: a password file that opens with a PKCS#11 token alone. */
export function addKeyTokenCommands(key: Command, context: CommandContext): void {
  key
    .command("wrap-password")
    .description("draw a password and write it wrapped by a key that stays in a PKCS#11 token")
    .requiredOption("--module <file>", "the token's PKCS#11 library")
    .requiredOption("--token <label>", "the token's label")
    .requiredOption("--pin-file <file>", "file whose first line is the token's user PIN")
    .requiredOption("--out <file>", "new password file, for wherever one is taken")
    .option("--key <label>", "the wrapping key; made in the token if missing", "credlink-wrap")
    .option("--binding <name>", "pkcs11js: package name or absolute path", DEFAULT_BINDING)
    .option("--json", "print one JSON document")
    .action((options: WrapOptions) =>
      context.run(options.json ?? false, async () => {
        const { module, token, key: label, binding, out } = options;
        const pinFile = resolve(options.pinFile);
        const use = { module, token, key: label, pinFile, binding };
        writeNewFile(out, wrapNewPassword(systemRandom, use));
        return { value: { out, token, key: label }, text: `written to ${out}` };
      }),
    );
}
