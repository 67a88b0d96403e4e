import { type MethodName, type MethodResult, methods, type Params } from "@credlink/api";
import { parseAddress } from "@credlink/crypto";
import { type Address, fromHex, height, toHex } from "@credlink/primitives";
import { z } from "zod";
import { RateLimiter } from "../engine/token-bucket.ts";
import {
  blockGet,
  blockHeader,
  chainGenesis,
  chainInfo,
  chainValidators,
  consensusHistory,
  contractQuery,
  stateGet,
  stateGetMany,
} from "./chain-methods.ts";
import type { GatewayComponents, GatewayOptions } from "./context.ts";
import { credentialChildren, credentialHistory, credentialTrace } from "./credential-methods.ts";
import { pollutedError, refuseCall } from "./errors.ts";
import { operatorHandlers } from "./operator-methods.ts";
import type { Caller, Sessions } from "./sessions.ts";
import { createWait, getTransaction, submit, submitBatch } from "./transaction-methods.ts";

/** Who calls: the network address always, a token where one was sent. */
export interface CallOrigin {
  readonly address: string;
  readonly token: string | undefined;
}

/** Runs one call. Rejects with CallError for everything that is the caller's to cure. */
export type Dispatch = (method: string, params: unknown, origin: CallOrigin) => Promise<unknown>;

type OpenMethods = "session.challenge" | "session.login";
type OpenHandlers = { readonly [M in OpenMethods]: (params: Params<M>) => MethodResult<M> };
type MemberHandlers = {
  readonly [M in Exclude<MethodName, OpenMethods>]: (
    params: Params<M>,
    caller: Caller,
  ) => MethodResult<M> | Promise<MethodResult<M>>;
};
/** Counts a call as so many more: its caller's next ones wait for them. */
type Charge = (caller: Caller, calls: number) => void;
type AnyHandler = (params: unknown, caller: Caller | undefined) => unknown;

/** Values of `state.getMany` that are as much work as a call: reading one and checking its proof. */
export const STATES_A_CALL = 8;

function toAddress(text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw refuseCall("API_ADDRESS_INVALID");
  return parsed.value;
}

function openHandlers(sessions: Sessions): OpenHandlers {
  return {
    "session.challenge": ({ address }) => sessions.challenge(toAddress(address)),
    "session.login": ({ address, challenge, signature }) =>
      sessions.login(toAddress(address), challenge, fromHex(signature)),
  };
}

function nodeStatus(components: GatewayComponents): MethodResult<"node.status"> {
  const { engine, facts, ledger, peers, clock, operator } = components;
  const status = engine.status();
  const { height: at, headDigest, stateRoot, replica, syncing, mempool } = status;
  const validators = ledger.validatorsAt(height(at + 1))?.validators ?? [];
  return {
    nodeId: facts.nodeId,
    peerId: facts.peerId,
    role: facts.role,
    version: facts.version,
    height: at,
    headDigest: toHex(headDigest),
    stateRoot: toHex(stateRoot),
    view: replica.view,
    phase: replica.phase,
    primary: validators[replica.primary]?.nodeId ?? null,
    syncing,
    abstaining: replica.abstaining,
    keyShared: status.keyShared,
    mempool: { ...mempool },
    clockOffsetMs: status.clockOffsetMs === null ? null : Math.round(status.clockOffsetMs),
    peers: peers().map(({ id, nodeId, organization, role, provisional }) => ({
      peerId: id,
      nodeId,
      organization,
      role,
      provisional,
    })),
    uptimeMs: Math.round(clock.monotonicMs() - facts.startedMs),
    mode: operator.mode.mode,
    certificateEndsAtMs: operator.certificateEndsAtMs,
  };
}

function memberHandlers(
  components: GatewayComponents,
  maxWaiters: () => number,
  closing: Promise<void>,
  charge: Charge,
): MemberHandlers {
  return {
    "chain.info": () => chainInfo(components),
    "chain.genesis": () => chainGenesis(components),
    "chain.validators": (params) => chainValidators(components, params),
    "block.header": (params) => blockHeader(components, params),
    "block.get": (params) => blockGet(components, params),
    "transaction.submit": (params) => submit(components, params),
    "transaction.submitBatch": (params) => submitBatch(components, params),
    "transaction.get": (params) => getTransaction(components, params),
    "transaction.receipt": async ({ transaction }) => ({
      receipt: toHex(await components.receipts.transaction(fromHex(transaction))),
    }),
    "transaction.wait": createWait(components, maxWaiters, closing),
    "state.get": (params) => stateGet(components, params),
    "state.getMany": (params, caller) => {
      charge(caller, Math.ceil(params.entries.length / STATES_A_CALL) - 1);
      return stateGetMany(components, params);
    },
    "contract.query": (params, caller) => contractQuery(components, params, caller),
    "consensus.history": (params) => consensusHistory(components, params),
    "credential.children": (params) => credentialChildren(components, params),
    "credential.history": (params) => credentialHistory(components, params),
    "credential.trace": (params) => credentialTrace(components, params),
    "node.status": () => nodeStatus(components),
    ...operatorHandlers(components),
  };
}

function isMethod(name: string): name is MethodName {
  return Object.hasOwn(methods, name);
}

/**
 * Rates, sessions, schemas, then the method: in this order, cheapest first.
 * @param closing resolves when the gateway closes: calls that wait are answered then
 */
export function createDispatcher(
  options: GatewayOptions,
  components: GatewayComponents,
  sessions: Sessions,
  closing: Promise<void>,
): Dispatch {
  const { clock } = components;
  const byAddress = new RateLimiter(() => options.addressRate, clock);
  const byMember = new RateLimiter(() => options.memberRate, clock);
  const logins = new RateLimiter(() => options.loginRate, clock);
  const limit = (limiter: RateLimiter, key: string): void => {
    const waitMs = limiter.take(key);
    if (waitMs > 0) throw refuseCall("API_RATE_LIMITED", undefined, waitMs);
  };
  const charge: Charge = ({ address }, calls) => byMember.owe(toHex(address), calls);
  // The schema of exactly this method has accepted what its handler is given.
  const handlers = new Map<string, AnyHandler>(
    Object.entries({
      ...openHandlers(sessions),
      ...memberHandlers(components, () => options.maxWaiters, closing, charge),
    }) as [string, AnyHandler][],
  );
  return async (name, params, origin) => {
    limit(byAddress, origin.address);
    if (!isMethod(name)) throw refuseCall("API_METHOD_UNKNOWN");
    if (components.isPolluted()) throw pollutedError();
    const method = methods[name];
    let caller: Caller | undefined;
    if (method.session) {
      caller = sessions.caller(origin.token);
      limit(byMember, toHex(caller.address));
    } else {
      limit(logins, origin.address);
    }
    const checked = method.params.safeParse(params ?? {});
    if (!checked.success) throw refuseCall("API_PARAMS_INVALID", z.prettifyError(checked.error));
    return handlers.get(name)?.(checked.data, caller);
  };
}
