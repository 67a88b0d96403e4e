import { writeFileSync } from "node:fs";
import {
  bindKeyCall,
  enrolmentSecret,
  enrolPerson,
  proveBinding,
  readEvidence,
  readGenesis,
  type SeenEvidence,
} from "@credlink/client";
import { addressFromPublicKey, formatAddress, wipe } from "@credlink/crypto";
import { passwordOf, withKeyFile } from "@credlink/keys";
import { identityEvidenceKinds } from "@credlink/ledger";
import { fromHex, toHex } from "@credlink/primitives";
import { type Command, Option } from "commander";
import { z } from "zod";
import {
  type ConnectionOptions,
  connect,
  readFileOf,
  readTextOf,
  withConnection,
} from "../connection.ts";
import { addressOf, demandNew, readDocument } from "../document-file.ts";
import { enrolFile } from "../enrolment-run.ts";
import { CliError } from "../errors.ts";
import type { CommandContext } from "./context.ts";
import { takeKeyFile } from "./member-keys.ts";
import { BACKDATE_MS, DAY_MS, hex } from "./member-lifecycle.ts";
import { renderFields } from "./read.ts";

/** What an institution hands to one person: whoever has it binds that person's key. */
const enrolmentSchema = z.strictObject({
  format: z.literal("credlink-enrolment/1"),
  address: z.string(),
  secret: hex(32),
});

/** What a person hands to whoever brings its binding: nothing in it is secret. */
const bindingSchema = z.strictObject({
  format: z.literal("credlink-key-binding/1"),
  address: z.string(),
  enrolmentKey: hex(65),
  authorization: hex(64),
  publicKey: hex(65),
  possession: hex(64),
});

interface EnrolmentKeyOptions {
  readonly enrolmentKey: string;
  readonly enrolmentPasswordFile: string;
  readonly json?: boolean;
}

/** `member enroll-list | hand-out | evidence | binding | bind`. */
export function addMemberEnrolCommands(member: Command, context: CommandContext): void {
  withConnection(withEnrolmentKey(member.command("enroll-list")))
    .description("enrol a list of individuals, as an admin or institution; again: goes on")
    .requiredOption("--file <file>", "the list: .csv or .jsonl of reference, kind and value")
    .requiredOption("--out <dir>", "folder for results, rejects and progress")
    .option("--days <days>", "validity from now on, at most three years", "365")
    .option("--json", "print one JSON document")
    .action((options: EnrolOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await enrol(options, context);
        return { value, text: renderFields(value) };
      }),
    );
  withEnrolmentKey(member.command("hand-out"))
    .description("write the one-time secret by which an enrolled person binds its own key")
    .requiredOption("--reference <reference>", "the person's, as in the list")
    .requiredOption("--genesis <file>", "trusted genesis of the chain")
    .requiredOption("--out <file>", "where it goes, for that person alone")
    .option("--json", "print one JSON document")
    .action((options: HandOutOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await handOut(options);
        return { value, text: renderFields(value) };
      }),
    );
  addEvidence(member, context);
  member
    .command("binding")
    .description("bind a key of one's own by the one-time secret; the key stays here")
    .requiredOption("--enrolment <file>", "what `member hand-out` wrote")
    .requiredOption("--key <file>", "key file to bind; made when it does not exist")
    .requiredOption("--password-file <file>", "file that holds the key file's password")
    .requiredOption("--genesis <file>", "trusted genesis of the chain")
    .requiredOption("--out <file>", "where the binding goes")
    .option("--json", "print one JSON document")
    .action((options: BindingOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await makeBinding(options);
        return { value, text: renderFields(value) };
      }),
    );
  withConnection(member.command("bind"))
    .description("bring an individual's binding; every member but nodes may")
    .requiredOption("--binding <file>", "what `member binding` wrote")
    .option("--json", "print one JSON document")
    .action((options: ConnectionOptions & { readonly binding: string; readonly json?: boolean }) =>
      context.run(options.json ?? false, async () => {
        const value = await bind(options);
        return { value, text: renderFields(value) };
      }),
    );
}

function withEnrolmentKey(command: Command): Command {
  return command
    .requiredOption(
      "--enrolment-key <file>",
      "the institution's enrolment key; `enroll-list` makes it",
    )
    .requiredOption("--enrolment-password-file <file>", "file that holds its password");
}

function addEvidence(member: Command, context: CommandContext): void {
  withEnrolmentKey(member.command("evidence"))
    .description("make again what opens an enrolled person's evidence on chain")
    .requiredOption("--reference <reference>", "the person's, as in the list")
    .addOption(
      new Option("--kind <kind>", "what was shown")
        .choices([...identityEvidenceKinds])
        .makeOptionMandatory(),
    )
    .requiredOption("--value-file <file>", "what stands on it")
    .requiredOption("--genesis <file>", "trusted genesis of the chain")
    .requiredOption("--out <file>", "where value and salt go, for the verifier alone")
    .option("--json", "print one JSON document")
    .action((options: EvidenceOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await makeEvidence(options);
        return { value, text: renderFields(value) };
      }),
    );
}

type EnrolOptions = ConnectionOptions &
  EnrolmentKeyOptions & { readonly file: string; readonly out: string; readonly days: string };

async function enrol(options: EnrolOptions, { streams, stopSignal }: CommandContext) {
  const { file, out, days, enrolmentKey: path, enrolmentPasswordFile, ...connection } = options;
  if (!/^[1-9]\d{0,3}$/.test(days)) throw new CliError("CLI_USAGE", `--days ${days}`);
  const client = await connect(connection);
  const { publicKey } = await takeKeyFile(path, enrolmentPasswordFile);
  let isStopped = false;
  void stopSignal.then(() => {
    isStopped = true;
  });
  const nowMs = Date.now();
  const validFromMs = nowMs - BACKDATE_MS;
  const summary = await withSecret(options, (enrolmentKey) =>
    enrolFile(client, {
      ...{ file, out, enrolmentKey, nowMs },
      enrolmentKeyAddress: addressFromPublicKey(publicKey),
      validity: { validFromMs, validToMs: validFromMs + Number(days) * DAY_MS },
      isStopped: () => isStopped,
      onRound: ({ lines, enrolled, present, rejected }) =>
        streams.err(
          `line ${lines}: ${enrolled} enrolled, ${present} present, ${rejected} rejected\n`,
        ),
    }),
  );
  const { isComplete: complete, lines, enrolled, present, rejected } = summary;
  return { complete, lines, enrolled, present, rejected, folder: out };
}

type HandOutOptions = EnrolmentKeyOptions & {
  readonly reference: string;
  readonly genesis: string;
  readonly out: string;
};

async function handOut({ reference, genesis, out, ...key }: HandOutOptions) {
  demandNew(out);
  const { digest } = readGenesis(readFileOf(genesis));
  const { address, secret } = await withSecret(key, async (enrolmentKey) =>
    enrolmentSecret(enrolmentKey, digest, reference),
  );
  const text = formatAddress(address);
  const enrolment = { format: "credlink-enrolment/1", address: text, secret: toHex(secret) };
  wipe(secret);
  writeFileSync(out, `${JSON.stringify(enrolment, null, 2)}\n`, { flag: "wx", mode: 0o600 });
  return { address: text, enrolment: out };
}

type EvidenceOptions = HandOutOptions & {
  readonly kind: SeenEvidence["kind"];
  readonly valueFile: string;
};

async function makeEvidence(options: EvidenceOptions) {
  const { reference, kind, valueFile, genesis, out, ...key } = options;
  demandNew(out);
  const { digest } = readGenesis(readFileOf(genesis));
  const value = readEvidence(kind, readTextOf(valueFile), Date.now());
  const { address, seen, secret } = await withSecret(key, async (enrolmentKey) =>
    enrolPerson(enrolmentKey, digest, { reference, kind, value }),
  );
  wipe(secret);
  const kept = { format: "credlink-identity-evidence/1", address: formatAddress(address), ...seen };
  writeFileSync(out, `${JSON.stringify(kept, null, 2)}\n`, { flag: "wx", mode: 0o600 });
  return { address: kept.address, evidence: out };
}

interface BindingOptions {
  readonly enrolment: string;
  readonly key: string;
  readonly passwordFile: string;
  readonly genesis: string;
  readonly out: string;
  readonly json?: boolean;
}

async function makeBinding({ enrolment, key, passwordFile, genesis, out }: BindingOptions) {
  demandNew(out);
  const { secret, address } = readDocument(enrolment, enrolmentSchema);
  const { digest } = readGenesis(readFileOf(genesis));
  const own = await takeKeyFile(key, passwordFile);
  const proven = await proveBinding(fromHex(secret), own, digest);
  if (formatAddress(proven.address) !== address) {
    throw new CliError("CLI_FILE_MALFORMED", `${enrolment}: the secret is another address's`);
  }
  const binding = {
    format: "credlink-key-binding/1",
    address,
    enrolmentKey: toHex(proven.enrolmentKey),
    authorization: toHex(proven.authorization),
    publicKey: toHex(proven.publicKey),
    possession: toHex(proven.possession),
  };
  writeFileSync(out, `${JSON.stringify(binding, null, 2)}\n`, { flag: "wx" });
  return { address, binding: out, key };
}

async function bind(options: ConnectionOptions & { readonly binding: string }) {
  const { binding, ...connection } = options;
  const { address, ...proofs } = readDocument(binding, bindingSchema);
  const client = await connect(connection);
  const call = bindKeyCall({
    address: addressOf(address),
    enrolmentKey: fromHex(proofs.enrolmentKey),
    authorization: fromHex(proofs.authorization),
    publicKey: fromHex(proofs.publicKey),
    possession: fromHex(proofs.possession),
  });
  const { id, header } = await client.execute(call);
  return { address, status: "active", fromHeight: header.height + 1, transaction: toHex(id) };
}

/** Uses the enrolment key's bytes, which are gone afterwards. */
function withSecret<T>(
  { enrolmentKey, enrolmentPasswordFile }: EnrolmentKeyOptions,
  use: (key: Uint8Array) => Promise<T>,
): Promise<T> {
  const password = passwordOf(readTextOf(enrolmentPasswordFile));
  return withKeyFile(enrolmentKey, { password }, use);
}
