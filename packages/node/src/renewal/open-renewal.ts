import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Logger } from "@credlink/primitives";
import type { Service } from "../chain-service.ts";
import type { Foundation } from "../components.ts";
import type { NodeConfig } from "../config/schema.ts";
import { readAnchors, readKeyPassword } from "../identity-files.ts";
import type { PeerWatch } from "../p2p/peer-watch.ts";
import { systemClock } from "../system-clock.ts";
import { RenewalError } from "./errors.ts";
import { renewalMetrics } from "./metrics.ts";
import { createRenewer, type Renewer } from "./renewer.ts";

/** What says that a node's member has another key than the one that it shows. */
const REPLACED: ReadonlySet<string | null> = new Set([
  "NODE_ADMISSION_NOT_REGISTERED",
  "NODE_ADMISSION_WRONG_PEER",
]);
/** Refusals of so long ago still count, milliseconds. */
const REFUSED_MS = 60_000;
const MAX_EVENTS = 4_096;

/**
 * The password of the key files, once a configuration has all that automatic renewal needs; null where
 * it asks for none.
 * @throws RenewalError NODE_RENEWAL_IMPOSSIBLE; ConfigError
 */
export async function checkRenewal(config: NodeConfig): Promise<string | null> {
  const { renewal, identity } = config;
  if (renewal.url === null) return null;
  if (!renewal.acknowledgeCustody) {
    throw new RenewalError("NODE_RENEWAL_IMPOSSIBLE", "renewal.acknowledgeCustody is not set");
  }
  // What lies in a key store is rotated by the store's own log.
  if (existsSync(join(dirname(identity.key), "..", "store.json"))) {
    throw new RenewalError("NODE_RENEWAL_IMPOSSIBLE", "identity.key lies in a key store");
  }
  const password = await readKeyPassword(config);
  if (password !== undefined) return password;
  throw new RenewalError("NODE_RENEWAL_IMPOSSIBLE", "identity.keyPasswordFile is not set");
}

function isRefusedAsReplaced(service: Service, peerWatch: PeerWatch): boolean {
  if (service.peers().length > 0) return false;
  const sinceMs = systemClock.nowMs() - REFUSED_MS;
  const { events } = peerWatch.events(0, MAX_EVENTS);
  return events.some(
    ({ type, reason, timeMs }) => type === "refused" && timeMs >= sinceMs && REPLACED.has(reason),
  );
}

/**
 * Begins to renew the node's certificate, where its configuration asks for that.
 * @throws as `checkRenewal`
 */
export async function openRenewal(parts: {
  readonly config: NodeConfig;
  readonly foundation: Foundation;
  readonly service: Service;
  readonly peerWatch: PeerWatch;
  readonly logger: Logger;
  readonly onFault: (error: Error) => void;
}): Promise<Renewer | null> {
  const { config, foundation, service, peerWatch, onFault } = parts;
  const { metrics, ledger, random, disk, genesis } = foundation;
  const password = await checkRenewal(config);
  metrics.gauge(renewalMetrics.state).set(password === null ? 1 : 0, { state: "off" });
  if (password === null) return null;
  return createRenewer({
    config,
    password,
    identity: () => foundation.identity,
    adopt: async (identity) => {
      foundation.replaceIdentity(identity);
      try {
        await service.restart();
      } catch (cause) {
        onFault(cause instanceof Error ? cause : new Error(String(cause)));
        throw cause;
      }
    },
    chain: { ledger, engine: service.engine, random },
    isRunning: () => service.isRunning,
    isRefusedAsReplaced: () => isRefusedAsReplaced(service, peerWatch),
    anchors: readAnchors(genesis),
    ...{ disk, metrics, clock: systemClock },
    logger: parts.logger.child({ component: "renewal" }),
  });
}
