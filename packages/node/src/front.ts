import { builtInErrors, contractsVmErrors } from "@credlink/contracts-vm";
import { cryptoErrors } from "@credlink/crypto";
import { ledgerErrors } from "@credlink/ledger";
import fastify, { type FastifyInstance } from "fastify";
import type { Foundation } from "./components.ts";
import type { NodeConfig } from "./config/schema.ts";
import { engineErrors } from "./engine/errors.ts";
import { nodeErrors } from "./errors.ts";
import type { GatewayComponents, GatewayOptions } from "./gateway/context.ts";
import { createRemedies } from "./gateway/errors.ts";
import { addHealth, addMetrics, createGateway, listen } from "./gateway/gateway.ts";
import { createReceiptDesk } from "./gateway/receipts.ts";
import { systemClock } from "./system-clock.ts";

/** What cures the codes of everything that stands behind the gateway. */
const remedyOf = createRemedies([
  ledgerErrors,
  contractsVmErrors,
  builtInErrors,
  cryptoErrors,
  engineErrors,
  nodeErrors,
]);

/** Limits may change while the node runs: each is read when it counts. */
function gatewayOptions(config: () => NodeConfig): GatewayOptions {
  const rpc = () => config().rpc;
  const { host, port, maxBodyBytes, sessionMs } = rpc();
  return {
    ...{ host, port, maxBodyBytes, sessionMs },
    get maxBatch() {
      return rpc().maxBatch;
    },
    get maxSessions() {
      return rpc().maxSessions;
    },
    get memberRate() {
      return { perSecond: rpc().memberRequestsPerSecond, burst: rpc().memberBurst };
    },
    get addressRate() {
      return { perSecond: rpc().addressRequestsPerSecond, burst: rpc().addressBurst };
    },
    get loginRate() {
      return { perSecond: rpc().loginsPerSecond, burst: rpc().loginBurst };
    },
    get maxWaiters() {
      return rpc().maxWaiters;
    },
  };
}

/** Ports for clients and for Prometheus. */
export interface FrontSide {
  readonly rpc: string;
  readonly metrics: string;
  close(): Promise<void>;
}

/**
 * Opens the gateway and, where it has a port of its own, the page of metrics.
 * @throws NodeError NODE_START_PORT_TAKEN; nothing stays open then
 */
export async function openFront(
  settings: () => NodeConfig,
  foundation: Foundation,
  parts: Pick<
    GatewayComponents,
    "engine" | "peers" | "facts" | "operator" | "readiness" | "isPolluted" | "logger"
  >,
): Promise<FrontSide> {
  const config = settings();
  const apps: FastifyInstance[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(apps.map((app) => app.close()));
  };
  const gateway = createGateway(gatewayOptions(settings), {
    ...parts,
    receipts: createReceiptDesk({
      ledger: foundation.ledger,
      engine: parts.engine,
      identity: () => foundation.identity,
      clock: systemClock,
    }),
    ledger: foundation.ledger,
    executor: foundation.executor,
    credentials: foundation.credentials,
    remedyOf,
    clock: systemClock,
    random: foundation.random,
    metrics: foundation.metrics,
  });
  apps.push(gateway);
  const { host, port } = config.metrics;
  const isShared = port === null;
  if (isShared) addMetrics(gateway, foundation.metrics);
  try {
    const rpc = await listen(gateway, config.rpc);
    if (isShared) return { rpc: `${rpc}/rpc`, metrics: `${rpc}/metrics`, close };
    const scraped = fastify({ logger: false, forceCloseConnections: "idle" });
    apps.push(scraped);
    addMetrics(scraped, foundation.metrics);
    addHealth(scraped, parts.readiness);
    const metrics = await listen(scraped, { host, port });
    return { rpc: `${rpc}/rpc`, metrics: `${metrics}/metrics`, close };
  } catch (error) {
    await close();
    throw error;
  }
}
