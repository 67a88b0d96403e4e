import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { loadNetworkIdentity, networkPaths, type RunningNetwork } from "@credlink/cli";
import { type Client, createClient, getCredential, tracePage } from "@credlink/client";
import {
  type CredentialFile,
  type CredentialRecord,
  credentialTypes,
  payloadSchemas,
  verifyPayload,
} from "@credlink/contracts";
import { toHex } from "@credlink/primitives";
import { type Percentiles, percentiles, round } from "./statistics.ts";

/** Depth of the traces. */
const DEPTH = 5;
/** Credentials of a page. */
const LIMIT = 100;

/** What the measurement asks a full store for. */
export interface Stock {
  /** All across the stock, of every type. */
  readonly files: readonly CredentialFile[];
  /** Service contracts: five levels stand below each. */
  readonly services: readonly Uint8Array[];
  /** Tax bills: five levels stand above each. */
  readonly bills: readonly Uint8Array[];
  readonly height: number;
}

/** How long answers took, milliseconds. */
export interface QueryTimes {
  /** One record with state proof, over HTTP, proven by the client. */
  readonly getMs: Percentiles;
  /** The same, and every field of a payload against its commitment. */
  readonly verifyMs: Percentiles;
  /** The gateway's answer alone, five levels down from a service contract, and up from a bill. */
  readonly traceDownMs: Percentiles;
  readonly traceUpMs: Percentiles;
  /** The same with every record and edge proven by the client. */
  readonly provenTraceMs: Percentiles;
  /** Credentials of the pages downward. */
  readonly traceSteps: Percentiles;
  /**
   * Processor time of the node for one get and one trace downward, which load beside it does not
   * change; null where nobody read it.
   */
  readonly nodeCpuMs: { readonly get: number; readonly traceDown: number } | null;
}

/** What p99 of the questions to one node is to stay under, milliseconds. */
export const P99_GOAL_MS = 50;

/** The questions whose p99 does not stay under the goal. */
export function overGoal(times: QueryTimes): readonly string[] {
  return (["getMs", "verifyMs", "traceDownMs", "traceUpMs"] as const).filter(
    (name) => times[name].p99 >= P99_GOAL_MS,
  );
}

/** The schema by which a record's payload is committed to. */
function schemaOf({ schema }: CredentialRecord) {
  const type = credentialTypes.find((each) => payloadSchemas[each].id === schema);
  if (type === undefined) throw new Error(`no schema ${schema}`);
  return payloadSchemas[type];
}

/** A client of the first node, as the admin of its organisation. */
export async function openAdminClient(
  dir: string,
  running: Pick<RunningNetwork, "network" | "nodes">,
): Promise<Client> {
  const [node] = running.nodes;
  const [entry] = running.network.nodes;
  if (node === undefined || entry === undefined) throw new Error("the network has a node");
  const identity = await loadNetworkIdentity(dir, running.network, `${entry.organization}/admin`);
  const genesis = new Uint8Array(readFileSync(networkPaths(dir).genesis));
  return createClient({ url: node.rpc, genesis, identity });
}

/** Waits until the first node's index of credentials has taken up the stock. */
export async function untilIndexed(client: Client, stock: Stock, say: (text: string) => void) {
  const [id] = stock.services;
  if (id === undefined) throw new Error("the stock has samples");
  for (let told = 0; ; ) {
    const asked = { id: toHex(id), limit: 1 };
    const { height } = await client.call("credential.children", asked);
    if (height >= stock.height) return;
    if (height - told > 100) say(`index at block ${height}`);
    if (height - told > 100) told = height;
    await delay(100);
  }
}

/**
 * Each question `samples` times, over credentials all across the stock, in a shuffled order.
 * @param cpuMs processor time that the asked node has used so far
 */
export async function measureQueries(
  client: Client,
  stock: Stock,
  cpuMs: (() => number) | null = null,
): Promise<QueryTimes> {
  const time = async <T>(ask: () => Promise<T>, times: number[]): Promise<T> => {
    const startMs = performance.now();
    const answer = await ask();
    times.push(performance.now() - startMs);
    return answer;
  };
  const sample = { get: [], verify: [], down: [], up: [], proven: [], steps: [] } as Record<
    "get" | "verify" | "down" | "up" | "proven" | "steps",
    number[]
  >;
  const spent = [cpuMs?.() ?? 0];
  for (const { record } of shuffle(stock.files)) {
    const found = await time(() => getCredential(client, record.id), sample.get);
    if (found === null) throw new Error("a credential of the stock is missing");
  }
  spent.push(cpuMs?.() ?? 0);
  for (const id of shuffle(stock.services)) {
    const asked = { id: toHex(id), direction: "down", depth: DEPTH, limit: LIMIT } as const;
    const { steps } = await time(() => client.call("credential.trace", asked), sample.down);
    sample.steps.push(steps.length);
  }
  spent.push(cpuMs?.() ?? 0);
  for (const file of shuffle(stock.files)) {
    const verdict = await time(async () => {
      const found = await getCredential(client, file.record.id);
      if (found === null) return false;
      const { record } = found.stored;
      return verifyPayload(schemaOf(record), file.payload, file.salts, record.commitment).ok;
    }, sample.verify);
    if (!verdict) throw new Error("an original is not verified");
  }
  for (const direction of ["down", "up"] as const) {
    for (const id of shuffle(direction === "down" ? stock.services : stock.bills)) {
      const asked = { id: toHex(id), direction, depth: DEPTH, limit: LIMIT };
      const times = direction === "up" ? sample.up : [];
      const answer = await time(() => client.call("credential.trace", asked), times);
      const page = await time(
        () => tracePage(client, id, { direction, depth: DEPTH, limit: LIMIT }),
        sample.proven,
      );
      if (page.steps.length !== answer.steps.length) throw new Error("two walks differ");
    }
  }
  return {
    getMs: percentiles(sample.get),
    verifyMs: percentiles(sample.verify),
    traceDownMs: percentiles(sample.down),
    traceUpMs: percentiles(sample.up),
    provenTraceMs: percentiles(sample.proven),
    traceSteps: percentiles(sample.steps),
    nodeCpuMs: cpuMs && {
      get: round(((spent[1] ?? 0) - (spent[0] ?? 0)) / stock.files.length),
      traceDown: round(((spent[2] ?? 0) - (spent[1] ?? 0)) / stock.services.length),
    },
  };
}

function shuffle<T>(list: readonly T[]): readonly T[] {
  return list
    .map((item) => [Math.random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}
