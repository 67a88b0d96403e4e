import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { MAX_STREAM_WORKERS, STREAM_WORKER_STEPS } from "@credlink/examples";

/** Which credential is submitted over and over. */
export const kinds = ["bill.insurance", "transaction.task"] as const;
export type Kind = (typeof kinds)[number];

/** What `pnpm bench tps` is asked to do. */
export interface TpsOptions {
  readonly validators: number;
  /** Seconds of load. */
  readonly duration: number;
  /** Transactions a second that are offered. */
  readonly rate: number;
  /** Institutions that submit. */
  readonly senders: number;
  readonly kind: Kind;
  readonly json: boolean;
  /** File for one line per transaction. */
  readonly csv?: string;
  /** Keeps the network's folder here instead of a temporary one. */
  readonly dir?: string;
}

/** What `pnpm bench query` is asked to do. */
export interface QueryOptions {
  /** Credentials in the store. */
  readonly records: number;
  /** Credentials that are asked for. */
  readonly samples: number;
  readonly json: boolean;
  /** Keeps the network's folder here instead of a temporary one. */
  readonly dir?: string;
}

/** What `pnpm bench verify-once` is asked to do. */
export interface VerifyOnceOptions {
  /** Transactions of the proposal. */
  readonly transactions: number;
  readonly rounds: number;
  readonly json: boolean;
}

/** What `pnpm bench vm` is asked to do. */
export interface VmOptions {
  /** Blocks that count, of each type of credential. */
  readonly rounds: number;
  /** Folder of another checkout that is measured in turn with this one; null: none. */
  readonly against: string | null;
  readonly json: boolean;
}

/** What `pnpm bench sm2` is asked to do. */
export interface Sm2Options {
  /** Rounds that count, of all ways in turn. */
  readonly rounds: number;
  readonly json: boolean;
}

/** What `pnpm bench sm3` is asked to do. */
export type Sm3Options = Sm2Options;

/** What `pnpm bench transport` is asked to do. */
export interface TransportOptions {
  /** Rounds that count, of all suites in turn. */
  readonly rounds: number;
  readonly json: boolean;
}

/** What `pnpm bench load` is asked to do. */
export interface LoadOptions {
  /** Credentials on chain at the end, at least. */
  readonly records: number;
  readonly validators: number;
  /** Institutions that submit. */
  readonly senders: number;
  /** Credentials that are asked for in the end. */
  readonly samples: number;
  readonly json: boolean;
  /** Keeps the network and what decides the records; a load is resumed from it. */
  readonly dir: string;
}

/** What `pnpm bench enrol` is asked to do. */
export interface EnrolOptions {
  /** Individuals to enrol, at least one for each part that is reported. */
  readonly members: number;
  readonly validators: number;
  readonly json: boolean;
}

/** The command line is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const usage = `pnpm bench tps | load | query | enrol | verify-once | vm | sm2 | sm3 | transport [options]
tps: a network under load
  --validators N   1 or 4 and more (default 4)
  --duration S     seconds of load (default 30)
  --rate R         transactions a second that are offered (default 400)
  --senders S      institutions that submit (default 4)
  --kind K         ${kinds.join(" | ")} (default ${kinds[0]})
  --csv FILE       one line per transaction: intended, sent, committed, height, status
  --dir DIR        keep the network's folder here
  --json           print one JSON document and nothing else
load: a chain filled through consensus, then asked; goes on where it was stopped or killed
  --dir DIR        the network, and what decides the records (required)
  --records N      credentials at the end, to whole workers (default 20000)
  --validators N   1 or 4 and more (default 1)
  --senders S      institutions that submit (default 4)
  --samples N      credentials that are asked for in the end (default 500)
  --json           as above
query: answers of a node that holds many credentials
  --records N      credentials in its store (default 100000)
  --samples N      of which are asked for (default 500)
  --dir DIR        keep the folder here, or go on filling one of an earlier run
  --json           as above
enrol: individuals enrolled in batches, by tenths of the run
  --members N      to enrol, 10 and more (default 100000)
  --validators N   1 or 4 and more (default 1)
  --json           as above
verify-once: what remembering verified signatures saves at a proposal
  --transactions N of the proposal (default 2000)
  --rounds N       of which the median counts (default 7)
  --json           as above
vm: calls of contracts, in this process
  --rounds N       blocks of each type of credential (default 100)
  --against DIR    another checkout, its packages installed, in turn with this one
  --json           as above
sm2: verifying signatures, by OpenSSL and by the kernel
  --rounds N       of all ways in turn (default 15)
  --json           as above
sm3: digests, by OpenSSL, one by one and in batches
  --rounds N       of all ways in turn (default 15)
  --json           as above
transport: handshakes and messages between nodes, by noise and by gm
  --rounds N       of all suites in turn (default 15)
  --json           as above`;

/** Credentials of all workers that can be told apart. */
const MAX_RECORDS = MAX_STREAM_WORKERS * STREAM_WORKER_STEPS;

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${name} ${text}`);
  return value;
}

/** @throws UsageError */
export function parseQueryOptions(args: readonly string[]): QueryOptions {
  const text = { type: "string" } as const;
  const { values } = refuseWrong(() =>
    parseArgs({
      args: [...args],
      options: {
        records: { ...text, default: "100000" },
        samples: { ...text, default: "500" },
        dir: text,
        json: { type: "boolean", default: false },
      },
    }),
  );
  const records = positive("records", values.records);
  const samples = positive("samples", values.samples);
  if (samples > records) throw new UsageError(`--samples ${samples} of ${records} records`);
  const { json, dir } = values;
  return { records, samples, json, ...(dir === undefined ? {} : { dir }) };
}

/** @throws UsageError */
export function parseEnrolOptions(args: readonly string[]): EnrolOptions {
  const { values } = refuseWrong(() =>
    parseArgs({
      args: [...args],
      options: {
        members: { type: "string", default: "100000" },
        validators: { type: "string", default: "1" },
        json: { type: "boolean", default: false },
      },
    }),
  );
  const members = positive("members", values.members);
  if (members < 10) throw new UsageError(`--members ${members}, at least 10`);
  return { members, validators: positive("validators", values.validators), json: values.json };
}

/** @throws UsageError */
export function parseVerifyOnceOptions(args: readonly string[]): VerifyOnceOptions {
  const { values } = refuseWrong(() =>
    parseArgs({
      args: [...args],
      options: {
        transactions: { type: "string", default: "2000" },
        rounds: { type: "string", default: "7" },
        json: { type: "boolean", default: false },
      },
    }),
  );
  const transactions = positive("transactions", values.transactions);
  return { transactions, rounds: positive("rounds", values.rounds), json: values.json };
}

/** @throws UsageError */
export function parseSm2Options(args: readonly string[]): Sm2Options {
  return parseRounds(args);
}

/** @throws UsageError */
export function parseSm3Options(args: readonly string[]): Sm3Options {
  return parseRounds(args);
}

/** @throws UsageError */
export function parseTransportOptions(args: readonly string[]): TransportOptions {
  return parseRounds(args);
}

function parseRounds(args: readonly string[]): Sm2Options {
  const { values } = refuseWrong(() =>
    parseArgs({
      args: [...args],
      options: {
        rounds: { type: "string", default: "15" },
        json: { type: "boolean", default: false },
      },
    }),
  );
  return { rounds: positive("rounds", values.rounds), json: values.json };
}

/** @throws UsageError */
export function parseVmOptions(args: readonly string[]): VmOptions {
  const { values } = refuseWrong(() =>
    parseArgs({
      args: [...args],
      options: {
        rounds: { type: "string", default: "100" },
        against: { type: "string" },
        json: { type: "boolean", default: false },
      },
    }),
  );
  const { rounds, against, json } = values;
  const folder = against === undefined ? null : resolve(against);
  return { rounds: positive("rounds", rounds), against: folder, json };
}

/** @throws UsageError */
export function parseLoadOptions(args: readonly string[]): LoadOptions {
  const text = { type: "string" } as const;
  const { values } = refuseWrong(() =>
    parseArgs({
      args: [...args],
      options: {
        records: { ...text, default: "20000" },
        validators: { ...text, default: "1" },
        senders: { ...text, default: "4" },
        samples: { ...text, default: "500" },
        dir: text,
        json: { type: "boolean", default: false },
      },
    }),
  );
  const { json, dir } = values;
  if (dir === undefined) throw new UsageError("--dir is required: a load is resumed from it");
  const records = positive("records", values.records);
  if (records > MAX_RECORDS) throw new UsageError(`--records ${records}, at most ${MAX_RECORDS}`);
  const samples = positive("samples", values.samples);
  if (samples > records) throw new UsageError(`--samples ${samples} of ${records} records`);
  const validators = positive("validators", values.validators);
  return { records, validators, senders: positive("senders", values.senders), samples, json, dir };
}

function refuseWrong<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws UsageError */
export function parseTpsOptions(args: readonly string[]): TpsOptions {
  const { values } = refuseWrong(() => read(args));
  const kind = kinds.find((each) => each === values.kind);
  if (kind === undefined) throw new UsageError(`--kind ${values.kind}`);
  return {
    validators: positive("validators", values.validators),
    duration: positive("duration", values.duration),
    rate: positive("rate", values.rate),
    senders: positive("senders", values.senders),
    kind,
    json: values.json,
    ...(values.csv === undefined ? {} : { csv: values.csv }),
    ...(values.dir === undefined ? {} : { dir: values.dir }),
  };
}

function read(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      validators: { type: "string", default: "4" },
      duration: { type: "string", default: "30" },
      rate: { type: "string", default: "400" },
      senders: { type: "string", default: "4" },
      kind: { type: "string", default: kinds[0] },
      csv: { type: "string" },
      dir: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
}
