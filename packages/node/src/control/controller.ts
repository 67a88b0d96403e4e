import {
  type ControlRequest,
  controlRequestCodec,
  MAX_AUDIT_DETAIL_BYTES,
  MAX_CONTROL_BYTES,
  MAX_CONTROL_LIFETIME_MS,
} from "@credlink/api";
import {
  type Address,
  AppError,
  assertNever,
  type Clock,
  type Digest,
  type Logger,
  type Metrics,
  type PeerId,
  toHex,
  tryDecode,
} from "@credlink/primitives";
import { RecentMap } from "../engine/recent-map.ts";
import { RateLimiter } from "../engine/token-bucket.ts";
import { refuseCall } from "../gateway/errors.ts";
import type { AuditLog, NewEntry } from "./audit-log.ts";
import { NodeControlError } from "./errors.ts";
import { type ControlCaller, ControlNonces, judgeRequest, MAX_CLOCK_SKEW_MS } from "./judge.ts";
import { controlMetrics } from "./metrics.ts";
import type { ModeKeeper } from "./mode.ts";
import type { RunTimeSettings } from "./settings.ts";

/** Requests of one member: they cost an fsync each and must not push others out of the log. */
export const CONTROL_RATE = { perSecond: 1, burst: 20 };
/** Requests that wait for those before them. */
const MAX_WAITING = 8;

/** Starts and stops what takes part in the chain. */
export interface ChainSwitch {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What carries requests out. */
export interface ControllerParts {
  readonly genesisDigest: Digest;
  readonly node: PeerId;
  readonly organization: string;
  readonly audit: AuditLog;
  readonly mode: ModeKeeper;
  readonly settings: RunTimeSettings;
  readonly chain: ChainSwitch;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Carries out signed requests, one after the other, each in the audit log before it acts. */
export interface Controller {
  /**
   * @returns the sequence of the entry that says it was accepted
   * @throws CallError API_RATE_LIMITED; NodeControlError; ConfigError; what starting throws
   */
  handle(caller: ControlCaller, request: Uint8Array, signature: Uint8Array): Promise<number>;
}

class NodeController implements Controller {
  readonly #parts: ControllerParts;
  readonly #nonces: ControlNonces;
  readonly #rates: RateLimiter;
  readonly #suppressed = new RecentMap<string, number>(10_000);
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(parts: ControllerParts, nonces: ControlNonces) {
    this.#parts = parts;
    this.#nonces = nonces;
    this.#rates = new RateLimiter(CONTROL_RATE, parts.clock);
  }

  handle(caller: ControlCaller, request: Uint8Array, signature: Uint8Array): Promise<number> {
    const key = toHex(caller.member.address);
    const waitMs = this.#rates.take(key);
    if (waitMs > 0 || this.#waiting >= MAX_WAITING) {
      this.#suppressed.set(key, (this.#suppressed.get(key) ?? 0) + 1);
      const code = waitMs > 0 ? "API_RATE_LIMITED" : "API_BUSY";
      this.#count("unread", code);
      return Promise.reject(refuseCall(code, undefined, Math.max(waitMs, 1_000)));
    }
    this.#waiting++;
    const handled = this.#queue.then(() => this.#handle(caller, request, signature));
    this.#queue = handled.catch(() => undefined).finally(() => this.#waiting--);
    return handled;
  }

  async #handle(
    caller: ControlCaller,
    request: Uint8Array,
    signature: Uint8Array,
  ): Promise<number> {
    const { address } = caller.member;
    const judged = judgeRequest(
      { ...this.#parts, nonces: this.#nonces },
      caller,
      request,
      signature,
    );
    if (!judged.ok) {
      const { code, detail = "" } = judged;
      await this.#note({ type: "refused", code, detail }, address, request, signature);
      this.#count("refused", judged.code);
      throw new NodeControlError(judged.code, judged.detail ?? judged.code);
    }
    const { action, key, value } = judged.value;
    const what = [action, key, value].filter((part) => part !== "").join(" ");
    const entry = { type: "accepted", code: "", detail: what } as const;
    const accepted = await this.#note(entry, address, request, signature);
    this.#parts.logger.info("control request accepted", { action, key, member: address });
    try {
      await this.#act(judged.value);
    } catch (error) {
      const code = error instanceof AppError ? error.code : "API_INTERNAL";
      this.#count(action, code);
      await this.#noteEnd("failed", accepted, address, code, String(error));
      throw error;
    }
    this.#count(action, "done");
    await this.#noteEnd("done", accepted, address, "", this.#parts.mode.mode);
    return accepted;
  }

  async #act(request: ControlRequest): Promise<void> {
    const { mode, chain, settings } = this.#parts;
    const { action, key, value } = request;
    if (mode.wanted === "standby" && action !== "start") {
      throw new NodeControlError("NODE_CONTROL_MODE", `${action} in standby`);
    }
    if (mode.wanted !== "standby" && action === "start") {
      throw new NodeControlError("NODE_CONTROL_MODE", "it is started");
    }
    switch (action) {
      case "drain":
        return mode.want("draining");
      case "resume":
        return mode.want("running");
      case "stop":
        // Written first: a crash on the way leaves a node that stays stopped, as was asked.
        await mode.want("standby");
        return chain.stop();
      case "start":
        await chain.start();
        return mode.want("running");
      case "config.set":
        return settings.set(key, value);
      case "config.reset":
        return settings.reset(key);
      default:
        return assertNever(action);
    }
  }

  async #note(
    entry: Pick<NewEntry, "type" | "code" | "detail">,
    member: Address,
    request: Uint8Array,
    signature: Uint8Array,
  ): Promise<number> {
    const key = toHex(member);
    // Taken before the write: what is turned away meanwhile stands in the member's next entry.
    const suppressed = this.#suppressed.get(key) ?? 0;
    this.#suppressed.delete(key);
    try {
      const { sequence } = await this.#parts.audit.append({
        ...{ type: entry.type, code: entry.code, detail: short(entry.detail) },
        ...{ of: null, member, suppressed },
        request: request.subarray(0, MAX_CONTROL_BYTES),
        signature: signature.subarray(0, 64),
      });
      return sequence;
    } catch (error) {
      this.#suppressed.set(key, suppressed + (this.#suppressed.get(key) ?? 0));
      throw error;
    }
  }

  /** What was done is done: a log that cannot be written any more is told to the operator. */
  async #noteEnd(
    type: "done" | "failed",
    of: number,
    member: Address,
    code: string,
    detail: string,
  ): Promise<void> {
    const none = new Uint8Array();
    const entry = { type, of, member, code, suppressed: 0, request: none, signature: none };
    try {
      await this.#parts.audit.append({ ...entry, detail: short(detail) });
    } catch (error) {
      this.#parts.metrics.counter(controlMetrics.auditFaults).add();
      this.#parts.logger.error("audit log not written", { code: "NODE_AUDIT_FAILED", of, error });
    }
  }

  #count(action: string, outcome: string): void {
    this.#parts.metrics.counter(controlMetrics.controlRequests).add(1, { action, outcome });
  }
}

function short(text: string): string {
  let kept = text.slice(0, MAX_AUDIT_DETAIL_BYTES);
  while (new TextEncoder().encode(kept).length > MAX_AUDIT_DETAIL_BYTES) kept = kept.slice(0, -16);
  return kept;
}

/**
 * Makes a node's controller. Nonces of requests that have not expired are read back from the audit log,
 * so that a restart opens no door to a replay.
 * @throws NodeControlError NODE_AUDIT_FAILED
 */
export async function createController(parts: ControllerParts): Promise<Controller> {
  const nonces = new ControlNonces();
  const nowMs = parts.clock.nowMs() - MAX_CLOCK_SKEW_MS;
  for (const entry of await parts.audit.since(nowMs - MAX_CONTROL_LIFETIME_MS)) {
    const decoded = tryDecode(controlRequestCodec, entry.request);
    if (entry.type !== "accepted" || !decoded.ok || decoded.value.expiresAtMs < nowMs) continue;
    nonces.take(decoded.value.nonce, decoded.value.expiresAtMs);
  }
  return new NodeController(parts, nonces);
}
