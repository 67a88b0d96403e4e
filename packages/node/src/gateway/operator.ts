import type { MethodResult, NodeMode } from "@credlink/api";
import type { Member } from "@credlink/ledger";
import type { AuditLog } from "../control/audit-log.ts";
import type { Controller } from "../control/controller.ts";
import type { ControlErrorCode } from "../control/errors.ts";
import type { ModeKeeper } from "../control/mode.ts";
import type { RunTimeSettings } from "../control/settings.ts";
import type { PeerWatch } from "../p2p/peer-watch.ts";

/** What operators ask of a node, and change it by. */
export interface Operator {
  /** Organisation of the node's certificate: its admins may change the node. */
  readonly organization: string;
  readonly certificateEndsAtMs: number;
  readonly mode: Pick<ModeKeeper, "mode">;
  readonly peerWatch: PeerWatch;
  readonly settings: Pick<RunTimeSettings, "show">;
  readonly audit: Pick<AuditLog, "read" | "head">;
  readonly controller: Controller;
  /** Transactions accepted here that are not finished. */
  readonly openTransactions: () => number;
  readonly info: () => MethodResult<"node.info">;
  readonly resources: () => Promise<MethodResult<"node.resources">>;
  readonly validators: () => MethodResult<"node.peers">["validators"];
}

/** Roles whose members see how a node fares. */
const OBSERVING: ReadonlySet<string> = new Set(["admin", "regulator", "auditor"]);

/** Whether a member may read how the node fares: machine, peers, events. */
export function mayObserve(member: Member): boolean {
  return OBSERVING.has(member.role);
}

/** Whether a member may read settings and audit log: own admins, and who supervises. */
export function mayInspect(member: Member, organization: string): boolean {
  if (member.role === "admin") return member.organization === organization;
  return mayObserve(member);
}

/** A node that drains or stands by begins sessions only with those who can look after it. */
export function judgeLogin(member: Member, mode: NodeMode): ControlErrorCode | null {
  if (mode === "running" || mayObserve(member)) return null;
  return mode === "standby" ? "NODE_STANDBY" : "NODE_DRAINING";
}
