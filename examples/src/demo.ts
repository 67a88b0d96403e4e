/**
 * `pnpm demo`: a consortium of four organisations, four validators and a regulator's observer on
 * this machine takes a month of credentials, and shows what became of them.
 *
 * On a terminal it stays up until Ctrl-C; with `--exit`, or without a terminal, it stops by itself.
 * `--dir D` keeps the network's folder at D, which must be new or empty.
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
import { type Client, traceUp } from "@credlink/client";
import { addressFromPublicKey, generateKeyPair } from "@credlink/crypto";
import { SUCCESS } from "@credlink/ledger";
import { type Address, toHex } from "@credlink/primitives";
import { type BusinessMonth, generateBusinessMonth } from "./business-month.ts";
import { waitForAgreement } from "./demo/agreement.ts";
import {
  enrollParticipants,
  openClients,
  organizations,
  registerKeys,
} from "./demo/participants.ts";
import {
  clientOf,
  countFamilies,
  inParallel,
  type Outcome,
  submitStep,
  submitSteps,
} from "./demo/submissions.ts";
import { percentileMs, renderFamilies, renderTrace } from "./demo/summary.ts";
import { generateRefusedCases, type RefusedCase } from "./refused-cases.ts";
import type { ExampleKey } from "./step.ts";

/** Same seed, same people and amounts; keys and times differ from run to run. */
const DEMO_SEED = "credlink demo";
const WORKERS = 50;
/** The month lies wholly in the past: what has happened is what gets a credential. */
const MONTH_AGO_MS = 33 * 86_400_000;

/** Exit code of a demo that was stopped before its summary. */
const INTERRUPTED = 130;

const startedMs = performance.now();

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function step(text: string): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(5);
  say(`${seconds} s  ${text}`);
}

/** Makes the consortium and starts its five nodes. */
async function startConsortium(dir: string): Promise<RunningNetwork> {
  const plan = planNetwork({
    validators: 4,
    observers: 1,
    observerRole: "regulator-node",
    observerOrganization: organizations.regulator,
    organizations: [
      organizations.institution,
      ...organizations.enterprises,
      organizations.regulator,
    ],
    chainId: "credlink-demo",
  });
  step("certificate authority, four organisations, node keys and certificates, genesis");
  await createNetwork(dir, plan, { settings: { log: { level: "warn" } } });
  step("starting four validators and the regulator's observer, a process each");
  const running = await startNetwork(dir, {
    onNodeEnd: (name, how) => step(`${name} ended: ${how}`),
  });
  step(`all ${running.nodes.length} nodes are ready`);
  return running;
}

/** Submits the cases that must be refused, each by its sender; all must show their own code. */
async function submitRefused(
  clients: readonly Client[],
  cases: readonly RefusedCase[],
): Promise<readonly Outcome[]> {
  const [first] = clients;
  if (first === undefined) throw new Error("there are clients");
  const outcomes = await inParallel(cases, async ({ sender, step: refused }, index) => {
    const genesis = readFileSync(networkPaths(networkDir).genesis);
    const own = clients[index % clients.length] ?? first;
    return submitStep(clientOf(own, sender, genesis), refused);
  });
  const wrong = cases.flatMap(({ name, expectedCode }, index) => {
    const status = outcomes[index]?.status;
    return status === expectedCode ? [] : [`${name}: ${status}, not ${expectedCode}`];
  });
  if (wrong.length > 0) throw new Error(`not refused as they must be: ${wrong.join("; ")}`);
  return outcomes;
}

function checkAccepted(outcomes: readonly Outcome[]): void {
  const refused = outcomes.filter((outcome) => outcome.status !== SUCCESS);
  if (refused.length === 0) return;
  const list = refused.slice(0, 5).map(({ name, status }) => `${name}: ${status}`);
  throw new Error(`${refused.length} credentials of the month were refused: ${list.join("; ")}`);
}

function makeMonth(institutionAddress: Address, regulator: ExampleKey): BusinessMonth {
  return generateBusinessMonth({
    regulator,
    seed: DEMO_SEED,
    startMs: Date.now() - MONTH_AGO_MS,
    institutionAddress,
    workers: WORKERS,
    createKey: () => {
      const pair = generateKeyPair();
      return { ...pair, address: addressFromPublicKey(pair.publicKey) };
    },
  });
}

/** The whole business on a running network; prints the summary. */
async function runBusiness(dir: string, running: RunningNetwork): Promise<void> {
  const genesis = new Uint8Array(readFileSync(networkPaths(dir).genesis));
  const { institution, regulator } = await enrollParticipants(dir, running, genesis, WORKERS);
  step(
    `enrolled 1 institution, ${organizations.enterprises.length} enterprises, ${WORKERS} workers`,
  );
  const clients = openClients(running, genesis, institution);
  // A regulator's node reads: it takes no transaction.
  const readers = new Set(
    running.network.nodes.flatMap(({ name, role }) => (role === "regulator-node" ? [name] : [])),
  );
  const doors = clients.filter((_, at) => !readers.has(running.nodes[at]?.name ?? ""));
  const [client] = doors;
  if (client === undefined) throw new Error("the network has nodes");
  const month = makeMonth(institution.address, regulator);
  const cases = generateRefusedCases(month);
  await registerKeys(client, month);
  step(`registered ${month.relationKeys.length} relation keys`);
  const accepted = await submitSteps(doors, month.steps, genesis, (stage, stages, done) =>
    step(`stage ${stage} of ${stages}: ${done} of ${month.steps.length} credentials committed`),
  );
  checkAccepted(accepted);
  const refused = await submitRefused(doors, cases);
  step(`${refused.length} cases refused, each with its own code`);

  const all = [...accepted, ...refused];
  const highest = Math.max(...all.map((outcome) => outcome.committed?.header.height ?? 0));
  const agreement = await waitForAgreement(clients, highest);
  const latencies = accepted.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]));
  const observer = clients.at(-1) ?? client;
  const [invoice] = month.invoices;
  if (invoice === undefined) throw new Error("the month has invoices");
  const trace = await traceUp(observer, invoice.record.id);
  step("traced one invoice back to the identities behind it, at the regulator's node");

  say(`\n${renderFamilies(countFamilies(all))}\n`);
  say(`blocks              ${agreement.height}`);
  say(`p95 commit latency  ${percentileMs(latencies, 0.95)} ms (submission to proven receipt)`);
  say(`digest              ${agreement.digest}`);
  say(`state root          ${agreement.stateRoot}`);
  say(`agreed by           all ${agreement.nodes} nodes, at height ${agreement.height}`);
  say(`\ntrace of invoice ${toHex(invoice.record.id)}`);
  say(renderTrace(trace));
  const identities = trace.filter(({ stored }) => stored.record.type.startsWith("identity."));
  say(`proof verified: ${trace.length} credentials, ${identities.length} identities among them,`);
  say("each record under a certified state root, certificates checked from genesis\n");
}

/** Resolves at Ctrl-C or when the system asks the process to end. */
function stopRequest(): Promise<"stop"> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => resolve("stop"));
    }
  });
}

const stopped = stopRequest();
const { values: options } = parseArgs({
  options: { exit: { type: "boolean", default: false }, dir: { type: "string" } },
});
const temporary = options.dir === undefined ? mkdtempSync(join(tmpdir(), "credlink-demo-")) : null;
const networkDir = options.dir ?? join(temporary ?? "", "network");
const staysUp = process.stdout.isTTY === true && !options.exit;
const starting = startConsortium(networkDir);
try {
  const work = (async (): Promise<"done"> => {
    await runBusiness(networkDir, await starting);
    return "done";
  })();
  const end = await Promise.race([work, stopped]);
  if (end === "done" && staysUp) {
    say("RPC addresses (Ctrl-C stops everything):");
    for (const node of (await starting).nodes) say(`  ${node.name.padEnd(12)}${node.rpc}`);
    await stopped;
  }
  // Asked to stop in the middle: what is under way fails as its nodes go, and is of no interest.
  if (end === "stop") {
    work.catch(() => {});
    process.exitCode = INTERRUPTED;
    process.stderr.write("interrupted before the end\n");
  }
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
} finally {
  await starting.then((running) => running.stop()).catch(() => {});
  if (temporary !== null) rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  step(temporary === null ? "everything is stopped" : "everything is stopped and removed");
  process.exit();
}
