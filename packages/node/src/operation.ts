import type { NodeMode } from "@credlink/api";
import { type Logger, toHex } from "@credlink/primitives";
import type { Service } from "./chain-service.ts";
import type { Foundation } from "./components.ts";
import type { NodeConfig } from "./config/schema.ts";
import { createController } from "./control/controller.ts";
import { describeNode, describeReach } from "./control/facts.ts";
import type { ControlFiles } from "./control/open-control.ts";
import { type ClientDoor, createClientDoor } from "./control/open-work.ts";
import { createResourceMeter } from "./control/resources.ts";
import type { NodeFacts, Readiness } from "./gateway/context.ts";
import type { Operator } from "./gateway/operator.ts";
import { nodeMetrics } from "./metrics.ts";
import type { ConnectedPeer } from "./p2p/peer-table.ts";
import type { PeerWatch } from "./p2p/peer-watch.ts";
import { systemClock } from "./system-clock.ts";
import { VERSION } from "./version.ts";

/** How a node is looked after: what operators see of it, and what changes it. */
export interface Operation {
  readonly facts: NodeFacts;
  readonly operator: Operator;
  /** The engine as clients reach it. */
  readonly door: ClientDoor;
  readonly peers: () => readonly ConnectedPeer[];
  readonly readiness: () => Readiness;
  /** Of the gateway, known once it listens. */
  readonly addresses: { rpc: string; metrics: string };
  /** Shows in metrics how many validators are reached. */
  measureReach(): void;
  stop(): void;
}

/** What an operation is made of. */
export interface OperationParts {
  readonly config: NodeConfig;
  readonly foundation: Foundation;
  readonly control: ControlFiles;
  readonly service: Service;
  readonly peerWatch: PeerWatch;
  readonly logger: Logger;
}

/** @throws NodeControlError NODE_AUDIT_FAILED */
export async function createOperation(parts: OperationParts): Promise<Operation> {
  const { foundation, control, service, peerWatch, config } = parts;
  const { ledger, metrics } = foundation;
  const { subject } = foundation.identity.certificate;
  const { commonName: nodeId, organization, organizationalUnit: role } = subject;
  const logger = parts.logger.child({ component: "control" });
  const clock = systemClock;
  const startedAtMs = clock.nowMs();
  const addresses = { rpc: "", metrics: "" };
  const door = createClientDoor(service.engine, control.mode, clock, role);
  const meter = createResourceMeter(config.dataDir, clock);
  const self = service.self;
  const peers = () => service.peers();
  const reach = () => describeReach(ledger, self, connected(peers()));
  control.mode.onChange((mode: NodeMode) => {
    logger.info("mode changed", { mode, nodeId, head: toHex(ledger.head.digest) });
    peerWatch.mode(mode);
  });
  const controller = await createController({
    genesisDigest: ledger.genesisDigest,
    node: self,
    organization,
    ...control,
    chain: service,
    clock,
    logger,
    metrics,
  });
  return {
    facts: { nodeId, peerId: self, role, version: VERSION, startedMs: clock.monotonicMs() },
    operator: {
      organization,
      ...control,
      get certificateEndsAtMs() {
        return service.certificateEndsAtMs;
      },
      peerWatch,
      controller,
      openTransactions: () => door.open,
      info: () => {
        const { certificate } = foundation.identity;
        const where = { ...addresses, p2p: [...service.addresses()] };
        return describeNode({ certificate, ledger, self, addresses: where, startedAtMs });
      },
      resources: () => meter.read(),
      validators: reach,
    },
    door,
    peers,
    readiness: () => readinessOf(service.standing.readiness(), control.mode.mode),
    addresses,
    measureReach() {
      const { reachable, partitioned } = reach();
      metrics.gauge(nodeMetrics.validatorsReachable).set(reachable);
      metrics.gauge(nodeMetrics.partitioned).set(partitioned ? 1 : 0);
    },
    stop() {
      door.stop();
      meter.stop();
      peerWatch.close();
    },
  };
}

function connected(peers: readonly ConnectedPeer[]): ReadonlySet<string> {
  return new Set(peers.filter(({ provisional }) => !provisional).map(({ id }) => id));
}

/** Who spreads work over nodes passes over one that drains or stands by. */
function readinessOf(readiness: Readiness, mode: NodeMode): Readiness {
  if (mode === "running") return readiness;
  const reason = mode === "standby" ? "in standby (NODE_STANDBY)" : `${mode} (NODE_DRAINING)`;
  return { ready: false, reasons: [reason, ...readiness.reasons] };
}
