import { CONTROL_DOMAIN, MAX_CONTROL_PAGE, type MethodResult, type Params } from "@credlink/api";
import { taggedSm3 } from "@credlink/crypto";
import { fromHex, toHex } from "@credlink/primitives";
import { showEntry } from "../control/audit-line.ts";
import type { PeerRow } from "../p2p/peer-watch.ts";
import type { GatewayComponents } from "./context.ts";
import { refuseCall } from "./errors.ts";
import { mayInspect, mayObserve, type Operator } from "./operator.ts";
import type { Caller } from "./sessions.ts";

type OperatorMethods =
  | "node.info"
  | "node.resources"
  | "node.peers"
  | "node.events"
  | "node.config"
  | "node.audit"
  | "node.control";

type OperatorHandlers = {
  readonly [M in OperatorMethods]: (
    params: Params<M>,
    caller: Caller,
  ) => MethodResult<M> | Promise<MethodResult<M>>;
};

type Components = Pick<GatewayComponents, "operator" | "ledger" | "receipts">;

/** Calls of `node.events` that wait at once. */
const MAX_EVENT_WAITERS = 64;
const BUSY_RETRY_MS = 1_000;

function showPeer(row: PeerRow): MethodResult<"node.peers">["peers"][number] {
  const { peer, rttMs, smoothedRttMs, sinceMs, disconnects, ...rest } = row;
  const { id: peerId, nodeId, organization, role, provisional } = peer;
  return {
    ...{ nodeId, peerId, organization, role, provisional, ...rest },
    disconnects: [...disconnects],
    rttMs: rttMs === null ? null : round(rttMs),
    smoothedRttMs: smoothedRttMs === null ? null : round(smoothedRttMs),
    sinceMs: Math.round(sinceMs),
  };
}

/** Microseconds are enough. */
function round(valueMs: number): number {
  return Math.round(valueMs * 1_000) / 1_000;
}

/** `node.events` */
function createEvents({ peerWatch }: Operator) {
  let waiting = 0;
  return async (params: Params<"node.events">): Promise<MethodResult<"node.events">> => {
    const { after = 0, limit = MAX_CONTROL_PAGE, waitMs = 0 } = params;
    if (waitMs > 0) {
      if (waiting >= MAX_EVENT_WAITERS) throw refuseCall("API_BUSY", undefined, BUSY_RETRY_MS);
      waiting++;
      await peerWatch.waitFor(after, waitMs).finally(() => waiting--);
    }
    const { events, next, missed } = peerWatch.events(after, limit);
    return { events: [...events], next, missed };
  };
}

async function readAudit(
  { audit }: Operator,
  { from = 0, limit = MAX_CONTROL_PAGE }: Params<"node.audit">,
): Promise<MethodResult<"node.audit">> {
  const entries = await audit.read(from, limit);
  const { sequence, hash } = audit.head();
  const last = entries.at(-1);
  const next = last === undefined || last.sequence >= sequence ? null : last.sequence + 1;
  return { entries: entries.map(showEntry), next, head: { sequence, hash: toHex(hash) } };
}

async function control(
  { operator, ledger, receipts }: Components,
  params: Params<"node.control">,
  caller: Caller,
): Promise<MethodResult<"node.control">> {
  const request = fromHex(params.request);
  const sequence = await operator.controller.handle(caller, request, fromHex(params.signature));
  const { mode } = operator.mode;
  const message = taggedSm3(CONTROL_DOMAIN, request);
  const receipt = await receipts.control({ admin: caller.address, message, sequence, mode });
  const { height } = ledger.head.header;
  return { sequence, mode, height, open: operator.openTransactions(), receipt: toHex(receipt) };
}

/** Methods by which a node is looked after. */
export function operatorHandlers(components: Components): OperatorHandlers {
  const { operator } = components;
  const observing = ({ member }: Caller): Operator => {
    if (!mayObserve(member)) throw refuseCall("API_ROLE_FORBIDDEN");
    return operator;
  };
  const inspecting = ({ member }: Caller): Operator => {
    if (!mayInspect(member, operator.organization)) throw refuseCall("API_ROLE_FORBIDDEN");
    return operator;
  };
  const events = createEvents(operator);
  return {
    "node.info": (_params, caller) => observing(caller).info(),
    "node.resources": (_params, caller) => observing(caller).resources(),
    "node.peers": (_params, caller) => {
      const { peerWatch, validators } = observing(caller);
      return { peers: peerWatch.rows().map(showPeer), validators: validators() };
    },
    "node.events": (params, caller) => {
      observing(caller);
      return events(params);
    },
    "node.config": ({ key }, caller) => ({ settings: [...inspecting(caller).settings.show(key)] }),
    "node.audit": (params, caller) => readAudit(inspecting(caller), params),
    // Everybody's: who may not is refused by the controller, which writes it down.
    "node.control": (params, caller) => control(components, params, caller),
  };
}
