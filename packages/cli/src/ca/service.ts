import { resolve } from "node:path";
import {
  AuthorityFolder,
  currentActor,
  issueCode,
  MAX_MEMBER_DAYS,
  readSecret,
  startService,
  unlockAuthority,
} from "@credlink/ca";
import { createLogger, systemClock } from "@credlink/node/service";
import type { CommandContext } from "../commands/context.ts";
import { CliError } from "../errors.ts";

/** `ca code issue`. */
export async function makeCode(options: {
  readonly dir: string;
  readonly for: string;
  readonly valid: number;
}) {
  const folder = new AuthorityFolder(resolve(options.dir));
  const described = { act: "code-issue", actor: currentActor(), details: { name: options.for } };
  const made = await folder.run(described, (act) => issueCode(act, options.for, options.valid));
  const until = new Date(made.endsMs).toISOString();
  return { for: options.for, code: made.code, id: made.id, until };
}

/** `ca serve`, until the process is asked to stop. */
export async function serve(
  options: {
    readonly dir: string;
    readonly passwordFile: string;
    readonly host: string;
    readonly port: number;
    readonly days: number;
    readonly logFile?: string;
    readonly json?: boolean;
  },
  context: Pick<CommandContext, "streams" | "stopSignal">,
): Promise<void> {
  const { host, port, days } = options;
  if (days < 1 || days > MAX_MEMBER_DAYS) {
    throw new CliError("CLI_OPTIONS_CONFLICT", `--days is from 1 to ${MAX_MEMBER_DAYS}`);
  }
  const folder = new AuthorityFolder(resolve(options.dir));
  const signer = await unlockAuthority(folder, await readSecret(options.passwordFile));
  const file = options.logFile === undefined ? "/dev/stderr" : resolve(options.logFile);
  const logger = createLogger({ level: "info", file });
  const components = { folder, signer, clock: systemClock, logger };
  const service = await startService({ host, port, days }, components);
  const value = { url: service.url, pid: process.pid };
  const text = `serving renewals at ${service.url}, metrics at ${service.url}/metrics`;
  context.streams.out(`${options.json === true ? JSON.stringify(value) : text}\n`);
  await context.stopSignal;
  await service.close();
  logger.flush();
}
