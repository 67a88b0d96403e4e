import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createNetwork,
  networkPaths,
  planNetwork,
  type RunningNetwork,
  startNetwork,
} from "@credlink/cli";
import {
  type Client,
  enrolIndividuals,
  enrolPerson,
  individualOf,
  MAX_ENROLMENT_ROUND,
  type Person,
} from "@credlink/client";
import { identityNumberCheck } from "@credlink/contracts";
import { addressFromPublicKey, generateKeyPair, randomBytes } from "@credlink/crypto";
import type { EnrolOptions } from "./options.ts";
import { readProcessUsage } from "./process-usage.ts";
import { enrolInstitution, openClients } from "./setup.ts";
import { round } from "./statistics.ts";

const DAY_MS = 86_400_000;
/** The run is reported in so many equal parts: a cost that grows with the registry shows there. */
export const PARTS = 10;

/** One part of the run; microseconds a member. */
export interface EnrolPart {
  readonly members: number;
  /** From the first derivation to the proven receipt. */
  readonly us: number;
  /** Processor time of all nodes together, and of this process. */
  readonly nodesCpuUs: number;
  readonly clientCpuUs: number;
}

/** What `bench enrol` reports. */
export interface EnrolReport {
  readonly members: number;
  readonly validators: number;
  readonly seconds: number;
  readonly membersPerSecond: number;
  readonly parts: readonly EnrolPart[];
  /** Of the last part to the first, by time and by the nodes' processor time: 1 is flat. */
  readonly lastToFirst: { readonly us: number; readonly nodesCpuUs: number };
  readonly height: number;
  /** Most that a node held. */
  readonly peakMemoryBytes: number;
}

/** Enrols so many individuals over a network of real processes. `say` is told what is going on. */
export async function runEnrol(
  options: EnrolOptions,
  say: (text: string) => void,
): Promise<EnrolReport> {
  const temporary = mkdtempSync(join(tmpdir(), "credlink-bench-"));
  const dir = join(temporary, "network");
  let running: RunningNetwork | undefined;
  try {
    const { validators } = options;
    say(`network of ${validators} validators`);
    const plan = planNetwork({ validators, chainId: "credlink-bench" });
    await createNetwork(dir, plan, { settings: { log: { level: "warn" } } });
    running = await startNetwork(dir, { onNodeEnd: (name, how) => say(`${name} ended: ${how}`) });
    return await measure(options, dir, running, say);
  } finally {
    await running?.stop();
    rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function measure(
  { members, validators }: EnrolOptions,
  dir: string,
  running: RunningNetwork,
  say: (text: string) => void,
): Promise<EnrolReport> {
  const genesis = new Uint8Array(readFileSync(networkPaths(dir).genesis));
  const pair = generateKeyPair();
  const institution = { ...pair, address: addressFromPublicKey(pair.publicKey) };
  await enrolInstitution(dir, running, genesis, 0, institution);
  const [client] = openClients(running, genesis, institution);
  if (client === undefined) throw new Error("the network has nodes");
  const enrolmentKey = randomBytes(32);
  const parts: EnrolPart[] = [];
  const startMs = performance.now();
  for (let part = 0; part < PARTS; part++) {
    const [from, to] = [part, part + 1].map((at) => Math.floor((at * members) / PARTS));
    const before = usageOf(running);
    const partMs = performance.now();
    await enrolRange(client, enrolmentKey, from ?? 0, to ?? 0);
    const ms = performance.now() - partMs;
    const after = usageOf(running);
    const count = (to ?? 0) - (from ?? 0);
    const perMember = (milliseconds: number): number => round((milliseconds * 1_000) / count);
    const own = {
      members: count,
      us: perMember(ms),
      nodesCpuUs: perMember(after.nodesMs - before.nodesMs),
      clientCpuUs: perMember(after.clientMs - before.clientMs),
    };
    parts.push(own);
    say(`${to} members: ${own.us} µs, nodes ${own.nodesCpuUs} µs CPU a member`);
  }
  const seconds = (performance.now() - startMs) / 1_000;
  const { height } = await client.info();
  return {
    ...{ members, validators, seconds: round(seconds), membersPerSecond: round(members / seconds) },
    ...{ parts, lastToFirst: compare(parts), height },
    peakMemoryBytes: usageOf(running).peakMemoryBytes,
  };
}

async function enrolRange(
  client: Client,
  enrolmentKey: Uint8Array,
  from: number,
  to: number,
): Promise<void> {
  const validity = { validFromMs: Date.now() - DAY_MS, validToMs: Date.now() + 365 * DAY_MS };
  for (let at = from; at < to; at += MAX_ENROLMENT_ROUND) {
    const count = Math.min(MAX_ENROLMENT_ROUND, to - at);
    const individuals = Array.from({ length: count }, (_, place) =>
      individualOf(enrolPerson(enrolmentKey, client.genesisDigest, personOf(at + place))),
    );
    const answers = await enrolIndividuals(client, individuals, validity);
    const lacking = answers.filter(({ outcome }) => outcome !== "enrolled").length;
    if (lacking > 0 || answers.length !== count) throw new Error(`${lacking} were not enrolled`);
  }
}

/** The person of so many: its number has a valid check. */
export function personOf(index: number): Person {
  const day = String(1 + (Math.floor(index / 1_000) % 28)).padStart(2, "0");
  const year = 1960 + (Math.floor(index / 28_000) % 40);
  const body = `110105${year}01${day}${String(index % 1_000).padStart(3, "0")}`;
  const check = identityNumberCheck(body);
  return { reference: `person-${index}`, kind: "identity-card", value: `${body}${check}` };
}

function compare(parts: readonly EnrolPart[]): EnrolReport["lastToFirst"] {
  const ratio = (of: (part: EnrolPart) => number): number => {
    const [first, last] = [parts[0], parts.at(-1)];
    if (first === undefined || last === undefined || of(first) === 0) return 0;
    return Math.round((of(last) / of(first)) * 100) / 100;
  };
  return { us: ratio(({ us }) => us), nodesCpuUs: ratio(({ nodesCpuUs }) => nodesCpuUs) };
}

function usageOf({ nodes }: RunningNetwork) {
  const used = nodes.flatMap(({ pid }) => readProcessUsage(pid) ?? []);
  const { user, system } = process.cpuUsage();
  return {
    nodesMs: used.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    clientMs: (user + system) / 1_000,
    peakMemoryBytes: Math.max(0, ...used.map((each) => each.peakMemoryBytes)),
  };
}
