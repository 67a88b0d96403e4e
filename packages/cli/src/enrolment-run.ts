import {
  type Client,
  type EnrolledIndividual,
  enrolIndividuals,
  enrolPerson,
  individualOf,
  MAX_ENROLMENT_ROUND,
  type Person,
  type Validity,
} from "@credlink/client";
import { formatAddress, taggedSm3 } from "@credlink/crypto";
import type { Address } from "@credlink/primitives";
import { fromHex, toHex, utf8 } from "@credlink/primitives";
import { EnrolmentFiles, type EnrolmentProgress } from "./enrolment-files.ts";
import { CliError } from "./errors.ts";
import { type PeopleRow, readPeople } from "./people-file.ts";

export interface EnrolmentRun {
  /** List of people: `.csv` or `.jsonl`. */
  readonly file: string;
  /** Folder of results, rejects and progress. */
  readonly out: string;
  /** 32 secret bytes. */
  readonly enrolmentKey: Uint8Array;
  /** Address that the enrolment key would give: tells keys apart. */
  readonly enrolmentKeyAddress: Address;
  readonly validity: Validity;
  readonly nowMs: number;
  /** Asked before each round. */
  readonly isStopped: () => boolean;
  readonly onRound: (progress: EnrolmentProgress) => void;
}

/** What an enrolment came to, this run and those before it. */
export interface EnrolmentSummary extends EnrolmentProgress {
  /** Whether every row of the list has its result or its rejection. */
  readonly isComplete: boolean;
}

type Refused = Extract<PeopleRow, { readonly code: string }>;
interface Round {
  readonly people: (Person & { readonly line: number })[];
  readonly refused: Refused[];
}

/** Codes of rows that the chain did not take. */
const refusals = { taken: "MEMBERS_ALREADY_ENROLLED", differs: "CLI_ROW_DIFFERS" } as const;

/**
 * Enrols a list in rounds of `MAX_ENROLMENT_ROUND` rows; goes on where an earlier run over the same
 * list and folder ended or was killed. A round that is sent again finds its people `present`.
 * @throws CliError CLI_PROGRESS_OTHER, CLI_FILE_…; ClientError; GatewayError
 */
export async function enrolFile(client: Client, run: EnrolmentRun): Promise<EnrolmentSummary> {
  const genesis = toHex(client.genesisDigest);
  const enrolmentKey = formatAddress(run.enrolmentKeyAddress);
  const files = new EnrolmentFiles(run.out, { genesis, enrolmentKey });
  try {
    const isComplete = await enrolLines(client, run, files);
    return { ...files.progress, isComplete };
  } finally {
    files.close();
  }
}

async function enrolLines(
  client: Client,
  run: EnrolmentRun,
  files: EnrolmentFiles,
): Promise<boolean> {
  const { lines: before, digest: expected } = files.progress;
  let round: Round = { people: [], refused: [] };
  let [lines, digest] = [0, "00".repeat(32)];
  const finish = async (): Promise<void> => {
    await enrolRound(client, run, files, { round, lines, digest });
    round = { people: [], refused: [] };
    run.onRound(files.progress);
  };
  for await (const { text, row } of readPeople(run.file, run.nowMs)) {
    lines += 1;
    digest = toHex(taggedSm3("credlink/enrolment-lines/1", fromHex(digest), utf8(text)));
    if (lines === before && digest !== expected) throw changed();
    if (lines <= before || row === null) continue;
    if ("code" in row) round.refused.push(row);
    else round.people.push({ ...row.person, line: row.line });
    if (round.people.length + round.refused.length < MAX_ENROLMENT_ROUND) continue;
    if (run.isStopped()) return false;
    await finish();
  }
  if (lines < before) throw changed();
  if (lines === before) return true;
  if (run.isStopped()) return false;
  await finish();
  return true;
}

function changed(): CliError {
  return new CliError("CLI_PROGRESS_OTHER", "the list's rows that are done have changed");
}

async function enrolRound(
  client: Client,
  { enrolmentKey, validity }: EnrolmentRun,
  files: EnrolmentFiles,
  done: { readonly round: Round; readonly lines: number; readonly digest: string },
): Promise<void> {
  const { people, refused } = done.round;
  const made = people.map((person) => enrolPerson(enrolmentKey, client.genesisDigest, person));
  const answers = await enrolIndividuals(client, made.map(individualOf), validity);
  const rows = people.map(({ line, reference }, at) => {
    const [own, answer] = [made[at], answers[at]];
    if (own === undefined || answer === undefined) throw new Error("an answer for each person");
    return { line, reference, address: formatAddress(own.address), ...answer };
  });
  const results = rows.filter(({ outcome }) => !isRefused(outcome));
  const rejects = [
    ...refused.map(({ line, code, reference }) => ({ line, reference, code })),
    ...rows.flatMap(({ line, reference, outcome }) =>
      isRefused(outcome) ? [{ line, reference, code: refusals[outcome] }] : [],
    ),
  ].sort((a, b) => a.line - b.line);
  const count = (wanted: EnrolledIndividual["outcome"]) =>
    rows.filter(({ outcome }) => outcome === wanted).length;
  files.append(results, rejects, {
    lines: done.lines,
    digest: done.digest,
    enrolled: files.progress.enrolled + count("enrolled"),
    present: files.progress.present + count("present"),
  });
}

function isRefused(outcome: EnrolledIndividual["outcome"]): outcome is keyof typeof refusals {
  return outcome in refusals;
}
