import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { commandLine, networkPaths } from "@credlink/cli";
import { AppError } from "@credlink/primitives";
import type { ChainRecord, Violation } from "./chain-record.ts";
import type { Cluster } from "./cluster.ts";
import type { Accepted, ChaosLoad } from "./load.ts";
import type { Session } from "./session.ts";
import { StatementRecord } from "./statements.ts";

/** How long accepted transactions may take once all is healed, milliseconds. */
const DRAIN_MS = 30_000;
const POLL_MS = 100;
const VERIFY_TIMEOUT_MS = 300_000;

/** What became of the transactions that a gateway took. */
export interface AuditReport {
  readonly transactions: {
    /** In a block, for good. */
    readonly committed: number;
    /** Expired, as all nodes say. */
    readonly expired: number;
    /** Gone with a process that took them and was ended before they reached a block. */
    readonly forgotten: number;
    /** Of those, submitted again by their sender and now in a block. */
    readonly resubmitted: number;
  };
}

/**
 * Accounts for every accepted transaction once nothing is broken any more. One that a node took may
 * be gone with that node's memory, never one that stood in a block; its sender, who waits for a
 * receipt, submits the same bytes again, and they take effect once.
 */
export async function settle(session: Session, load: ChaosLoad) {
  const { record } = session;
  const missing = (): readonly [string, Accepted][] =>
    [...load.accepted].filter(([id]) => !record.places.has(id));
  await until(() => missing().length === 0);
  const left = missing();
  const expired: string[] = [];
  const again: [string, Accepted][] = [];
  const violations: Violation[] = [];
  for (const [id, accepted] of left) {
    const states = await statesOf(session, accepted);
    if (states.every((state) => state === "expired")) expired.push(id);
    else if (states.includes("pending") || states.includes("committed")) {
      const detail = `${id} of ${accepted.node} is ${states.join(", ")} after ${DRAIN_MS} ms`;
      violations.push({ rule: "lost", detail });
    } else again.push([id, accepted]);
  }
  const resubmitted = await resubmit(session, again, violations);
  return {
    violations,
    counts: {
      committed: load.accepted.size - left.length,
      expired: expired.length,
      forgotten: again.length,
      resubmitted,
    },
  };
}

async function statesOf({ watch }: Session, { signed }: Accepted): Promise<readonly string[]> {
  const clients = [...watch.clients.values()];
  return Promise.all(clients.map(async (client) => (await client.transaction(signed.id)).status));
}

/** Returns how many of them stand in a block now. */
async function resubmit(
  { cluster, watch, record }: Session,
  again: readonly (readonly [string, Accepted])[],
  violations: Violation[],
): Promise<number> {
  const client = watch.client(cluster.names[0] ?? "");
  const sent: string[] = [];
  for (const [id, { signed }] of again) {
    try {
      await client.submit(signed);
      sent.push(id);
    } catch (error) {
      const code = error instanceof AppError ? error.code : String(error);
      if (code !== "LEDGER_TRANSACTION_EXPIRED") {
        violations.push({ rule: "lost", detail: `${id} is refused now: ${code}` });
      }
    }
  }
  await until(() => sent.every((id) => record.places.has(id)));
  const lost = sent.filter((id) => !record.places.has(id));
  violations.push(...lost.map((id): Violation => ({ rule: "lost", detail: `${id}, sent again` })));
  return sent.length - lost.length;
}

async function until(isDone: () => boolean): Promise<void> {
  const endMs = performance.now() + DRAIN_MS;
  while (!isDone() && performance.now() < endMs) await delay(POLL_MS);
}

/**
 * Reads every node's whole chain through its own gateway: equal blocks at equal heights, up to the
 * highest that any node ever showed, so that what was once reported committed still is, everywhere;
 * and all votes that they remember of all heights, so that nobody voted twice, across all restarts,
 * but for `liars`: indices of validators that the test itself plays.
 */
export async function auditChains(
  { cluster, record, watch }: Session,
  liars: readonly number[] = [],
): Promise<void> {
  const { height } = record;
  const statements = new StatementRecord(liars);
  await until(() => cluster.names.every((name) => watch.heightOf(name) >= height));
  await Promise.all(
    cluster.names.map(async (name) => {
      const head = await watch.readAll(name);
      await statements.read(name, watch.client(name), 1, head);
      if (head >= height) return;
      record.violations.push({ rule: "lost", detail: `${name} is at ${head}, not at ${height}` });
    }),
  );
  record.violations.push(...statements.violations);
}

/** Verifies every node's stored chain, from genesis to its head, with nobody running. */
export async function verifyStores(
  cluster: Cluster,
  record: ChainRecord,
): Promise<readonly Violation[]> {
  const violations: Violation[] = [];
  for (const name of cluster.names) {
    const verdict = await verifyStore(networkPaths(cluster.dir).node(name));
    if (verdict.code !== 0) {
      violations.push({ rule: "store", detail: `${name}: ${verdict.text.slice(0, 600)}` });
    } else if (verdict.height < record.height - 1) {
      const detail = `${name} stores ${verdict.height} blocks of ${record.height}`;
      violations.push({ rule: "store", detail });
    }
  }
  return violations;
}

async function verifyStore(folder: string) {
  const args = commandLine(["chain", "verify", "--dir", folder, "--json"]);
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), VERIFY_TIMEOUT_MS);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      text += String(chunk);
    });
  }
  const code = await new Promise<number | null>((done) => child.once("close", done));
  clearTimeout(timer);
  const height = Number(/"height":\s*(\d+)/.exec(text)?.[1] ?? -1);
  return { code, text, height };
}
