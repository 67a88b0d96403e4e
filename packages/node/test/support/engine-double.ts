import type { Ledger } from "@credlink/ledger";
import { accept, digest, height, noMetrics, refuse, view } from "@credlink/primitives";
import type { Engine } from "../../src/engine/types.ts";
import type { GatewayOptions } from "../../src/gateway/context.ts";
import type { Operator } from "../../src/gateway/operator.ts";
import { PeerWatch } from "../../src/p2p/peer-watch.ts";
import { systemClock } from "../../src/system-clock.ts";

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

/** An engine of fixed answers: what is under test is the door in front of it. */
export function createEngineDouble(ledger: Ledger): Engine {
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
    pending: () => [],
    holdings: () => {
      throw new Error("the gateway asks nobody what it holds");
    },
    status: () => ({
      height: ledger.head.header.height,
      headDigest: ledger.head.digest,
      stateRoot: ledger.head.header.stateRoot,
      headTimestampMs: ledger.head.header.timestampMs,
      syncing: false,
      replicaRuns: true,
      keyShared: false,
      toldHeight: null,
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

/** The gateway's operator side where it is not under test: it is asked for its mode alone. */
export function createOperatorDouble(): Operator {
  const unasked = (): never => {
    throw new Error("what operators ask is tested with whole nodes");
  };
  return {
    organization: "Org One",
    certificateEndsAtMs: Date.now() + 86_400_000,
    mode: { mode: "running" },
    peerWatch: new PeerWatch({ clock: systemClock, metrics: noMetrics, isValidator: () => true }),
    settings: { show: unasked },
    audit: { read: unasked, head: unasked },
    controller: { handle: unasked },
    openTransactions: unasked,
    info: unasked,
    resources: unasked,
    validators: unasked,
  };
}
