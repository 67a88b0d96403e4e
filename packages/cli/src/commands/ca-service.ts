import { type Command, InvalidArgumentError } from "commander";
import type { OnlineRenewalOptions } from "../ca/renewal.ts";
import { withCustody } from "./ca-options.ts";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";
import { renderFields } from "./read.ts";

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const DEFAULT_PORT = 8655;
const RENEWAL_DAYS = 365;

/** Milliseconds of `90s`, `30m`, `12h` or `7d`. */
export function duration(text: string): number {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitMs = UNITS[unit];
  if (count === undefined || unitMs === undefined) {
    throw new InvalidArgumentError("not a time such as 90s, 30m, 12h or 7d");
  }
  return Number(count) * unitMs;
}

interface CodeOptions {
  readonly dir: string;
  readonly for: string;
  readonly valid: number;
  readonly json?: boolean;
}

interface ServeOptions {
  readonly dir: string;
  readonly passwordFile: string;
  readonly host: string;
  readonly port: number;
  readonly days: number;
  readonly logFile?: string;
  readonly json?: boolean;
}

/** `ca code issue`, `ca serve` and `ca request-renewal`. */
export function addCaService(ca: Command, context: CommandContext): void {
  addOnlineRenewal(ca, context);
  const code = ca.command("code").description("one-time codes that approve renewals");
  code
    .command("issue")
    .description("make the code for a node's renewal; hand it over by another channel")
    .requiredOption("--dir <dir>", "the CA's folder; the service may run")
    .requiredOption("--for <name>", "the node or user whose certificate is in force")
    .option("--valid <time>", "90s, 30m, 12h, 7d; at most 90d (default: 1h)", duration, 3_600_000)
    .option("--json", "print one JSON document")
    .action((options: CodeOptions) =>
      context.run(options.json ?? false, async () => {
        const { makeCode } = await import("../ca/service.ts");
        const value = await makeCode(options);
        return { value, text: renderFields(value) };
      }),
    );
  ca.command("serve")
    .description("serve renewals to holders of certificates in force, until stopped")
    .requiredOption("--dir <dir>", "the folder of an organisation's CA")
    .requiredOption("--password-file <file>", "password of the CA's key")
    .option("--host <address>", "address to bind", "127.0.0.1")
    .option("--port <port>", "0 takes a free one", wholeNumber, DEFAULT_PORT)
    .option(
      "--days <n>",
      "validity of renewed certificates, at most 1096",
      wholeNumber,
      RENEWAL_DAYS,
    )
    .option("--log-file <file>", "JSON lines (default: standard error)")
    .option("--json", "print one JSON document once it listens")
    .action((options: ServeOptions) =>
      context.run(options.json ?? false, async () => {
        const { serve } = await import("../ca/service.ts");
        await serve(options, context);
        return undefined;
      }),
    );
}

function addOnlineRenewal(ca: Command, context: CommandContext): void {
  withCustody(ca.command("request-renewal"))
    .description("at the holder's side: renew at the organisation's CA service, on a fresh key")
    .requiredOption("--url <url>", "the CA service")
    .requiredOption("--certificate <file>", "the one in force")
    .requiredOption("--key <file>", "its key")
    .requiredOption("--password-file <file>", "password of its key, and of the new one")
    .requiredOption("--authority <file>", "the CA's certificate, which the answer is judged by")
    .requiredOption("--code-file <file>", "the one-time code, mode 0600")
    .requiredOption("--new-key <file>", "new key file; one of an attempt that failed is used again")
    .requiredOption("--out <file>", "where the certificate goes")
    .option("--json", "print one JSON document")
    .action((options: OnlineRenewalOptions & { readonly json?: boolean }) =>
      context.run(options.json ?? false, async () => {
        const { renewOnline } = await import("../ca/renewal.ts");
        const value = await renewOnline(options, context.streams);
        return { value, text: renderFields(value) };
      }),
    );
}
