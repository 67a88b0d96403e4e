import { type Command, InvalidArgumentError } from "commander";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";
import { renderFields } from "./read.ts";

interface DirOptions {
  readonly dir: string;
  readonly json?: boolean;
}

function serialNumber(text: string): string {
  if (!/^[0-9a-fA-F]{1,40}$/.test(text)) throw new InvalidArgumentError("not a serial number");
  return text.toLowerCase();
}

/** `ca list | show | check`. */
export function addAuthorityReading(ca: Command, context: CommandContext): void {
  ca.command("list")
    .description("every certificate that the CA issued, with what became of it")
    .requiredOption("--dir <dir>", "the CA's folder")
    .option("--ends-within <days>", "only those in force that end so soon", wholeNumber)
    .option("--json", "print one JSON document")
    .action((options: DirOptions & { readonly endsWithin?: number }) =>
      context.run(options.json ?? false, async () => {
        const { listIssued } = await import("../ca/read.ts");
        const { renderIssued } = await import("../ca/describe.ts");
        const value = await listIssued(options);
        const lines = value.certificates.map(renderIssued);
        return { value, text: lines.length === 0 ? "none" : lines.join("\n") };
      }),
    );
  ca.command("show")
    .description("a CA, one certificate that it issued, or who authorises in a genesis")
    .argument("[serial]", "serial number (default: the CA itself)", serialNumber)
    .option("--dir <dir>", "the CA's folder")
    .option("--out <file>", "write the certificate (PEM)")
    .option("--genesis <file>", "instead: roots, organisations' CAs and admins of a genesis")
    .option("--json", "print one JSON document")
    .action(
      (
        serial: string | undefined,
        options: {
          readonly dir?: string;
          readonly out?: string;
          readonly genesis?: string;
          readonly json?: boolean;
        },
      ) =>
        context.run(options.json ?? false, async () => {
          const { show } = await import("../ca/read.ts");
          const value = await show(serial, options);
          return { value, text: renderFields(value) };
        }),
    );
  ca.command("check")
    .description(
      "go through database, audit file, signatures and list, after a restore or at leisure",
    )
    .requiredOption("--dir <dir>", "the CA's folder")
    .option("--json", "print one JSON document")
    .action((options: DirOptions) =>
      context.run(options.json ?? false, async () => {
        const { check } = await import("../ca/read.ts");
        const value = await check(options.dir);
        return { value, text: renderFields(value) };
      }),
    );
}
