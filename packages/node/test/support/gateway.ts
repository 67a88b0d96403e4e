/** A real gateway over HTTP, its engine played by fixed answers; hooks make and remove its files. */
import { createExecutor } from "@credlink/contracts-vm";
import { addressFromPublicKey, sm2Sign, systemRandom, taggedSm3 } from "@credlink/crypto";
import { createLedger, createMemoryStore } from "@credlink/ledger";
import {
  accept,
  digest,
  fromHex,
  height,
  type Logger,
  refuse,
  toHex,
  view,
} from "@credlink/primitives";
import { afterEach, beforeEach } from "vitest";
import type { Engine } from "../../src/engine/types.ts";
import type { GatewayOptions, Readiness } from "../../src/gateway/context.ts";
import { createRemedies } from "../../src/gateway/errors.ts";
import { createGateway, listen } from "../../src/gateway/gateway.ts";
import { systemClock } from "../../src/system-clock.ts";
import { type Caller, createCaller, createNodeFolders, type NodeFolders } from "./nodes.ts";
import { createRecordingLogger, createRecordingMetrics } from "./recording.ts";

/** A rate that no test reaches. */
export const wide = { perSecond: 10_000, burst: 10_000 };
/** Limits that no test reaches, unless it changes them. */
export const options: GatewayOptions = {
  host: "127.0.0.1",
  port: 0,
  maxBodyBytes: 64 * 1024,
  maxBatch: 4,
  sessionMs: 60_000,
  maxSessions: 100,
  memberRate: wide,
  addressRate: wide,
  loginRate: wide,
  maxWaiters: 2,
};

const cleanUps: (() => Promise<unknown>)[] = [];
/** Folders of one node, made anew for each test. */
export let made: NodeFolders;

beforeEach(async () => {
  made = await createNodeFolders(1);
  cleanUps.push(made.remove);
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** An engine of fixed answers: what is under test is the door in front of it. */
function createEngineDouble(ledger: Awaited<ReturnType<typeof openLedger>>): Engine {
  return {
    start: async () => undefined,
    stop: async () => undefined,
    onCommit: () => () => undefined,
    submit: async (transaction) => {
      if (transaction[0] === 1) return accept({ id: digest(new Uint8Array(32).fill(1)) });
      if (transaction[0] === 2) {
        return { ...refuse("NODE_MEMPOOL_FULL"), retryAfterMs: 250 };
      }
      if (transaction[0] === 3) throw new Error("secret inside");
      return refuse("LEDGER_TRANSACTION_MALFORMED", "not canonical");
    },
    outcome: async () => ({ status: "unknown" }),
    waitFor: (_id, timeoutMs) =>
      new Promise((resolve) => setTimeout(() => resolve({ status: "pending" }), timeoutMs)),
    holdings: () => {
      throw new Error("the gateway asks nobody what it holds");
    },
    status: () => ({
      height: ledger.head.header.height,
      headDigest: ledger.head.digest,
      stateRoot: ledger.head.header.stateRoot,
      headTimestampMs: ledger.head.header.timestampMs,
      syncing: false,
      keyShared: false,
      mempool: { transactions: 0, bytes: 0, oldestMs: 0 },
      clockOffsetMs: null,
      replica: {
        height: height(1),
        view: view(0),
        phase: "idle",
        primary: 0 as never,
        self: 0 as never,
        abstaining: false,
        halted: false,
      },
    }),
  };
}

export const openLedger = () =>
  createLedger({ store: createMemoryStore(), executor: createExecutor(), genesis: made.genesis });

/** A gateway that listens, with the doubles behind it. */
export async function open(change: Partial<GatewayOptions> = {}) {
  const ledger = await openLedger();
  const metrics = createRecordingMetrics();
  const logger: Logger & { entries: { message: string }[] } = createRecordingLogger();
  const state: { readiness: Readiness; isPolluted: boolean } = {
    readiness: { ready: false, reasons: ["starting"] },
    isPolluted: false,
  };
  const app = createGateway(
    { ...options, ...change },
    {
      engine: createEngineDouble(ledger),
      ledger,
      executor: createExecutor(),
      peers: () => [],
      facts: {
        nodeId: "node1",
        peerId: "12D3KooWSelf",
        role: "validator",
        version: "0.1.0",
        startedMs: systemClock.monotonicMs(),
      },
      readiness: () => state.readiness,
      isPolluted: () => state.isPolluted,
      remedyOf: createRemedies([]),
      clock: systemClock,
      random: systemRandom,
      logger,
      metrics,
    },
  );
  cleanUps.push(() => app.close());
  const base = await listen(app, options);
  return { app, base, ledger, metrics, logger, state, caller: createCaller(`${base}/rpc`) };
}

/** Signs a challenge, with whatever the test changes. */
export async function logIn(
  caller: Caller,
  change: {
    readonly address?: string;
    readonly key?: Uint8Array;
    readonly genesis?: Uint8Array;
    readonly challenge?: string;
  } = {},
) {
  const address = change.address ?? made.adminAddress;
  const asked = await caller.call("session.challenge", { address });
  const challenge = change.challenge ?? String(asked.result?.challenge);
  const message = taggedSm3(
    "credlink/session/1",
    change.genesis ?? made.digest,
    fromHex(challenge),
    addressFromPublicKey(made.admin.publicKey),
  );
  const signature = toHex(sm2Sign(change.key ?? made.admin.privateKey, message));
  const answer = await caller.call("session.login", { address, challenge, signature });
  if (answer.result !== undefined) caller.token = String(answer.result.token);
  return { challenge, signature, address, answer };
}
