import type { Executor, Ledger } from "@credlink/ledger";
import type { Clock, Logger, Metrics, PeerId, Random } from "@credlink/primitives";
import type { CredentialIndex } from "../credential-index/credential-index.ts";
import type { Rate } from "../engine/token-bucket.ts";
import type { Engine } from "../engine/types.ts";
import type { ConnectedPeer } from "../p2p/peer-table.ts";
import type { Operator } from "./operator.ts";
import type { ReceiptDesk } from "./receipts.ts";

/** Limits and addresses of the gateway; limits are read when they count, and may change. */
export interface GatewayOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly maxBodyBytes: number;
  readonly maxBatch: number;
  readonly sessionMs: number;
  readonly maxSessions: number;
  readonly memberRate: Rate;
  readonly addressRate: Rate;
  readonly loginRate: Rate;
  readonly maxWaiters: number;
}

/** Who this node is. */
export interface NodeFacts {
  readonly nodeId: string;
  readonly peerId: PeerId;
  readonly role: string;
  readonly version: string;
  /** On the monotonic clock. */
  readonly startedMs: number;
}

/** Whether the node may take traffic, and if not, why. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** What the gateway answers from. */
export interface GatewayComponents {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly executor: Executor;
  readonly credentials: CredentialIndex;
  readonly peers: () => readonly ConnectedPeer[];
  readonly facts: NodeFacts;
  readonly operator: Operator;
  readonly receipts: ReceiptDesk;
  readonly readiness: () => Readiness;
  /** Whether the node has found its own data altered: then no call is answered. */
  readonly isPolluted: () => boolean;
  /** What cures a code. */
  readonly remedyOf: (code: string) => string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}
