/** A real gateway over HTTP, its engine played by fixed answers; hooks make and remove its files. */
import { createExecutor } from "@credlink/contracts-vm";
import {
  addressFromPublicKey,
  createSm2Signer,
  sm2Sign,
  systemRandom,
  taggedSm3,
} from "@credlink/crypto";
import { createLedger, createMemoryStore } from "@credlink/ledger";
import { fromHex, type Logger, toHex } from "@credlink/primitives";
import { afterEach, beforeEach } from "vitest";
import { createCredentialIndex } from "../../src/credential-index/credential-index.ts";
import type { GatewayOptions, Readiness } from "../../src/gateway/context.ts";
import { createRemedies } from "../../src/gateway/errors.ts";
import { createGateway, listen } from "../../src/gateway/gateway.ts";
import { createReceiptDesk } from "../../src/gateway/receipts.ts";
import { systemClock } from "../../src/system-clock.ts";
import { createEngineDouble, createOperatorDouble, options } from "./engine-double.ts";
import { type Caller, createCaller, createNodeFolders, type NodeFolders } from "./nodes.ts";
import { createRecordingLogger, createRecordingMetrics } from "./recording.ts";

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
  const credentials = await createCredentialIndex({
    store: createMemoryStore(),
    ledger,
    clock: systemClock,
    logger,
    metrics,
  });
  const engine = createEngineDouble(ledger);
  const identity = { signer: createSm2Signer(made.admin.privateKey), chain: [] };
  const app = createGateway(
    { ...options, ...change },
    {
      engine,
      receipts: createReceiptDesk({ ledger, engine, identity: () => identity, clock: systemClock }),
      ledger,
      executor: createExecutor(),
      credentials,
      peers: () => [],
      operator: createOperatorDouble(),
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
