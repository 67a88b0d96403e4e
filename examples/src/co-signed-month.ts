/**
 * `pnpm month`: the example's month on a consortium of four organisations with a node each. The
 * institution proposes at its own node, every party signs at the node of its own organisation, the
 * regulator decides at its own. At the end all four nodes are held to each other and to the month.
 *
 * `--workers N` (6 to 50, default 50), `--dir D` keeps the network's folder, `--json` prints one
 * JSON document.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  createNetwork,
  networkPaths,
  planNetwork,
  type RunningNetwork,
  startNetwork,
} from "@credlink/cli";
import { CREDENTIAL_CONTRACT, credentialIdArgsCodec, usesAnswerCodec } from "@credlink/contracts";
import { addressFromPublicKey, generateKeyPair } from "@credlink/crypto";
import { SUCCESS } from "@credlink/ledger";
import { decode, encode, equalBytes, toHex } from "@credlink/primitives";
import { type BusinessMonth, generateBusinessMonth } from "./business-month.ts";
import { checkOriginals, checkSums, decodeRecords, readRecords } from "./co-signed/checks.ts";
import { type Denied, tryCoSigning, tryRefusedCases, tryUses } from "./co-signed/denied.ts";
import { Desks } from "./co-signed/desks.ts";
import { countByStatus, expectedRecords } from "./co-signed/expected.ts";
import { waitForAgreement } from "./demo/agreement.ts";
import {
  enrollParticipants,
  openClients,
  organizations,
  registerKeys,
} from "./demo/participants.ts";
import { inParallel } from "./demo/submissions.ts";

/** The month lies wholly in the past: what has happened is what gets a credential. */
const MONTH_AGO_MS = 33 * 86_400_000;
const MAX_WORKERS = 50;

/** What the month came to. */
export interface MonthReport {
  readonly workers: number;
  readonly steps: number;
  readonly height: number;
  readonly stateRoot: string;
  /** Nodes that hold the same head, and every record equal. */
  readonly nodes: number;
  /** Node -> transactions that the parties of its organisation sent there. */
  readonly sent: Readonly<Record<string, number>>;
  /** `type status` -> how many. */
  readonly records: Readonly<Record<string, number>>;
  readonly originals: number;
  readonly sums: number;
  /** How often the month's grant was used. */
  readonly uses: number;
  readonly denied: readonly Denied[];
  readonly seconds: number;
}

const { values: options } = parseArgs({
  options: {
    workers: { type: "string", default: String(MAX_WORKERS) },
    dir: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const say = (text: string): boolean => process.stderr.write(`${text}\n`);

/** Four organisations, a validator each. */
async function start(dir: string): Promise<RunningNetwork> {
  const { institution, enterprises, regulator } = organizations;
  const plan = planNetwork({
    validators: 4,
    organizations: [institution, ...enterprises, regulator],
    chainId: "credlink-month",
  });
  await createNetwork(dir, plan, { settings: { log: { level: "warn" } } });
  const onNodeEnd = (name: string, how: string): boolean => say(`${name} ended: ${how}`);
  return startNetwork(dir, { onNodeEnd });
}

async function runMonth(running: RunningNetwork, dir: string, workers: number) {
  const startMs = performance.now();
  const genesis = new Uint8Array(readFileSync(networkPaths(dir).genesis));
  const members = await enrollParticipants(dir, running, genesis, workers);
  const { institutionKey: institution, regulator } = members;
  const month = generateBusinessMonth({
    ...{ seed: "credlink month", startMs: Date.now() - MONTH_AGO_MS, workers, regulator },
    institutionAddress: institution.address,
    createKey: () => {
      const pair = generateKeyPair();
      return { ...pair, address: addressFromPublicKey(pair.publicKey) };
    },
  });
  const desks = new Desks(running, genesis, { month, institution, regulator });
  await registerKeys(desks.clientOf(institution), month);
  say(`${month.relationKeys.length} relation keys of ${workers} workers and two enterprises`);
  await runSteps(desks, month);
  const denied = [
    ...(await tryRefusedCases(desks, month, institution)),
    ...(await tryCoSigning(desks, month, { institution, regulator })),
    ...(await tryUses(desks, month)),
  ];
  say(`${denied.length} attempts, each met by its own answer`);
  const clients = openClients(running, genesis, members.institution);
  const highest = Math.max(...denied.map(({ height }) => height));
  const agreement = await waitForAgreement(clients, highest);
  const checked = await checkNodes(clients, month);
  const seconds = Math.round((performance.now() - startMs) / 100) / 10;
  const sent = Object.fromEntries(desks.sent);
  return { workers, steps: month.steps.length, ...agreement, sent, ...checked, denied, seconds };
}

/** The month in its order: what does not depend on each other goes side by side. */
async function runSteps(desks: Desks, month: BusinessMonth): Promise<void> {
  const stages = [...new Set(month.steps.map(({ stage }) => stage))];
  for (const stage of stages) {
    const here = month.steps.filter((step) => step.stage === stage);
    await inParallel(here, async (step) => {
      const { status } = await desks.run(step);
      if (status !== SUCCESS) throw new Error(`${step.name} was refused: ${status}`);
    });
    say(`stage ${stage + 1} of ${stages.length}: ${here.length} steps, proposed and co-signed`);
  }
}

/** Holds every node to the others and to the month; throws for any difference. */
async function checkNodes(clients: ReturnType<typeof openClients>, month: BusinessMonth) {
  const expected = expectedRecords(month);
  const records = expected.map(({ record }) => record);
  const all = await Promise.all(clients.map((client) => readRecords(client, records)));
  const [first] = all;
  if (first === undefined) throw new Error("there are nodes");
  for (const [id, bytes] of first) {
    const isSame = all.every((other) => equalBytes(other.get(id) ?? new Uint8Array(0), bytes));
    if (!isSame) throw new Error(`the nodes hold different records of ${id}`);
  }
  const stored = decodeRecords(first);
  const found = [...stored.values()].map(({ record, standing: { status } }) => ({
    record,
    status,
  }));
  for (const { record, status } of expected) {
    const is = stored.get(toHex(record.id))?.standing.status;
    if (is !== status)
      throw new Error(`${record.type} ${toHex(record.id)} is ${is}, not ${status}`);
  }
  const args = encode(credentialIdArgsCodec, { id: month.disputes.grant.id });
  const uses = await Promise.all(
    clients.map(async (client) => {
      const query = { contract: CREDENTIAL_CONTRACT, method: "uses", args };
      const { returnValue } = await client.queryContract(query);
      return decode(usesAnswerCodec, returnValue).count;
    }),
  );
  if (new Set(uses).size !== 1) throw new Error(`the nodes count uses apart: ${uses.join(", ")}`);
  return {
    records: countByStatus(found),
    originals: checkOriginals(month.steps, stored),
    sums: checkSums(stored),
    uses: uses[0] ?? 0,
  };
}

function render(report: MonthReport): string {
  const wrong = report.denied.filter(({ status, expected }) => status !== expected);
  return [
    ...Object.entries(report.records)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${String(count).padStart(5)}  ${name}`),
    ...Object.entries(report.sent).map(([node, count]) => `${node}: ${count} transactions`),
    `${report.originals} originals opened, ${report.sums} sums proven, ${report.uses} use of a grant`,
    `${report.denied.length - wrong.length} of ${report.denied.length} attempts answered as they must be`,
    `${report.nodes} nodes agree at block ${report.height}, every record equal on all: ${report.stateRoot}`,
    `${report.seconds} s`,
  ].join("\n");
}

const workers = Number(options.workers);
if (!Number.isInteger(workers) || workers < 6 || workers > MAX_WORKERS) {
  process.stderr.write(`--workers ${options.workers}: 6 to ${MAX_WORKERS}\n`);
  process.exit(2);
}
const temporary = options.dir === undefined ? mkdtempSync(join(tmpdir(), "credlink-month-")) : null;
const dir = options.dir ?? join(temporary ?? "", "network");
let running: RunningNetwork | undefined;
try {
  running = await start(dir);
  say(`${running.nodes.length} nodes, one an organisation`);
  const report: MonthReport = await runMonth(running, dir, workers);
  process.stdout.write(`${options.json ? JSON.stringify(report) : render(report)}\n`);
  if (report.denied.some(({ status, expected }) => status !== expected)) process.exitCode = 1;
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
} finally {
  await running?.stop();
  if (temporary !== null) rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
}
