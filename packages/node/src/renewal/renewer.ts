import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { certificateToPem, parseCertificate } from "@credlink/crypto";
import {
  AppError,
  type Clock,
  type Disk,
  invariant,
  type Logger,
  type Metrics,
} from "@credlink/primitives";
import type { NodeConfig } from "../config/schema.ts";
import { noteFreshKey } from "../engine/fresh-key.ts";
import { VOTE_LOG_FOLDER } from "../engine/index.ts";
import { type OwnIdentity, openNodeKey, readCertificateChain } from "../identity-files.ts";
import { replaceFile } from "../storage/durable-file.ts";
import { announce, lookAtChain, pushOn, type RenewalChain } from "./announcing.ts";
import { askAuthority, type RenewalQuestion } from "./authority.ts";
import { forgetCode, readCode, refuseCode } from "./code-file.ts";
import { RenewalError } from "./errors.ts";
import { makeNextKey, noteAnnounced, renewalFiles, switchOver } from "./folder.ts";
import { renewalMetrics } from "./metrics.ts";
import { nextStep, type RenewalStep } from "./plan.ts";

/** What renewing works with. */
export interface RenewerParts {
  readonly config: NodeConfig;
  /** Password of the key files. */
  readonly password: string;
  readonly identity: () => OwnIdentity;
  /** Takes part as `identity` from now on: connections and votes begin anew. */
  readonly adopt: (identity: OwnIdentity) => Promise<void>;
  readonly chain: RenewalChain;
  /** Whether the node takes part in the chain. */
  readonly isRunning: () => boolean;
  /** Whether every peer refuses the node because its member has another key by now. */
  readonly isRefusedAsReplaced: () => boolean;
  readonly anchors: RenewalQuestion["anchors"];
  /** Of the vote log. */
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Renews the node's certificate, again and again. */
export interface Renewer {
  /** Resolves when the step under way has ended; no other one begins. */
  stop(): Promise<void>;
}

/** Pause between two looks while a renewal is under way, milliseconds. */
const LOOK_MS = 1_000;
/** Longest pause while nothing is due: clocks are set, certificates replaced by hand. */
const REST_MS = 60_000;
/** How long a chain may make no block before a renewal that waits for one makes it. */
const IDLE_MS = 3_000;

type State = "resting" | "requesting" | "waiting" | "announcing" | "handing-over";
const STATES: readonly State[] = ["resting", "requesting", "waiting", "announcing", "handing-over"];
/** Null: whether there is a code yet decides. */
const STATE_OF: Readonly<Record<RenewalStep["type"], State | null>> = {
  rest: "resting",
  "make-key": "requesting",
  request: null,
  announce: "announcing",
  "present-next": "handing-over",
  "await-handover": "handing-over",
  switch: "handing-over",
};

type OpenedKey = Pick<OwnIdentity, "signer" | "sealKey">;

class NodeRenewer implements Renewer {
  readonly #parts: RenewerParts;
  /** What the node's files name; the node itself may be ahead of them. */
  #present: OwnIdentity;
  #nextKey: OpenedKey | null = null;
  #state: State | null = null;
  #failures = 0;
  #idle: { readonly height: number; sinceMs: number } | null = null;
  #running: Promise<void> = Promise.resolve();
  #isBusy = false;
  #isStopped = false;
  #cancel = (): void => undefined;
  readonly #stopListening: () => void;

  constructor(parts: RenewerParts) {
    this.#parts = parts;
    this.#present = parts.identity();
    // The hand-over follows the block that makes it possible, not the clock.
    this.#stopListening = parts.chain.engine.onCommit(() => {
      if (this.#state === "handing-over" && this.#failures === 0) this.#look();
    });
    this.#schedule(LOOK_MS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    this.#stopListening();
    await this.#running;
  }

  #schedule(delayMs: number): void {
    this.#cancel();
    if (!this.#isStopped) this.#cancel = this.#parts.clock.schedule(delayMs, () => this.#look());
  }

  #look(): void {
    if (this.#isBusy || this.#isStopped) return;
    this.#cancel();
    this.#isBusy = true;
    this.#running = this.#turn().then((delayMs) => {
      this.#isBusy = false;
      this.#schedule(delayMs);
    });
  }

  /** One step; returns after how long the next look is due. */
  async #turn(): Promise<number> {
    if (!this.#parts.isRunning()) return LOOK_MS;
    try {
      const step = await this.#step();
      const state = STATE_OF[step.type];
      if (state !== null) this.#enter(state);
      const delayMs = await this.#do(step);
      this.#failures = 0;
      return delayMs;
    } catch (error) {
      return this.#fail(error);
    }
  }

  async #step(): Promise<RenewalStep> {
    const { config, chain, clock } = this.#parts;
    const files = renewalFiles(config.identity);
    if (this.#nextKey === null && existsSync(files.key)) {
      this.#nextKey = await openNodeKey(config, files.key);
    }
    const publicKey = this.#present.signer.publicKey;
    const { registeredKey, votingKeys } = lookAtChain(chain, publicKey);
    return nextStep({
      nowMs: clock.nowMs(),
      lead: config.renewal,
      current: { certificate: this.#present.certificate, publicKey },
      next:
        this.#nextKey === null
          ? null
          : {
              publicKey: this.#nextKey.signer.publicKey,
              isCertified: existsSync(files.certificate),
              isAnnounced: existsSync(files.announced),
            },
      registeredKey,
      votingKeys,
      isRefusedAsReplaced: this.#parts.isRefusedAsReplaced(),
    });
  }

  async #do(step: RenewalStep): Promise<number> {
    const { config, password, clock } = this.#parts;
    if (step.type === "rest") return Math.min(REST_MS, Math.max(1, step.untilMs - clock.nowMs()));
    if (step.type === "make-key") {
      await makeNextKey(config.identity, password);
      this.#parts.logger.info("next key made", { key: renewalFiles(config.identity).key });
      return 0;
    }
    const next = this.#nextKey;
    if (next === null) return LOOK_MS;
    if (step.type === "request") return this.#request(next);
    if (step.type === "announce") return this.#announce(next);
    if (step.type === "await-handover") return this.#awaitHandOver(next);
    return step.type === "switch" ? this.#switch(next) : this.#presentNext(next);
  }

  async #request(next: OpenedKey): Promise<number> {
    const { config, anchors, clock, logger } = this.#parts;
    const { codeFile, url } = config.renewal;
    const code = await readCode(codeFile);
    if (url === null || code === null) {
      this.#enter("waiting");
      return LOOK_MS;
    }
    this.#enter("requesting");
    const renewed = await askAuthority({
      url,
      chain: this.#present.chain,
      signer: this.#present.signer,
      nextSigner: next.signer,
      code,
      anchors,
      nowMs: () => clock.nowMs(),
    });
    const bundle = [renewed.der, ...this.#present.chain.slice(1)].map(toPem).join("");
    await replaceFile(renewalFiles(config.identity).certificate, bundle);
    await forgetCode(codeFile);
    const validTo = new Date(renewed.notAfterMs).toISOString();
    logger.info("next certificate issued", { serialNumber: renewed.serialNumber, validTo });
    return 0;
  }

  async #announce(next: OpenedKey): Promise<number> {
    const { config, chain, logger } = this.#parts;
    const { certificate } = await this.#nextIdentity(next);
    await noteAnnounced(config.identity);
    const keys = { present: this.#present.signer, next: next.signer, certificate: certificate.der };
    await announce(chain, keys);
    const { height } = chain.ledger.head.header;
    logger.info("next key announced", { height, serialNumber: certificate.serialNumber });
    return 0;
  }

  async #awaitHandOver(next: OpenedKey): Promise<number> {
    const { chain, clock } = this.#parts;
    const { height } = chain.ledger.head.header;
    const nowMs = clock.monotonicMs();
    if (this.#idle?.height !== height) this.#idle = { height, sinceMs: nowMs };
    else if (nowMs - this.#idle.sinceMs >= IDLE_MS) {
      this.#idle.sinceMs = nowMs;
      await pushOn(chain, next.signer);
    }
    return LOOK_MS;
  }

  /** Nobody admits the present key any more: takes part with the next one to learn of its block. */
  async #presentNext(next: OpenedKey): Promise<number> {
    const identity = await this.#nextIdentity(next);
    if (!this.#isPresented(identity)) {
      await this.#adopt(identity);
      this.#parts.logger.warn("the chain knows the next key already", {});
    }
    return LOOK_MS;
  }

  async #switch(next: OpenedKey): Promise<number> {
    const { config, metrics, logger } = this.#parts;
    const identity = await this.#nextIdentity(next);
    const replaced = this.#present.certificate;
    if (!this.#isPresented(identity)) await this.#noteFresh(identity);
    await switchOver(config.identity, replaced.serialNumber);
    this.#present = identity;
    this.#nextKey = null;
    if (!this.#isPresented(identity)) await this.#parts.adopt(identity);
    metrics.counter(renewalMetrics.renewals).add();
    const { serialNumber, notAfterMs } = identity.certificate;
    const validTo = new Date(notAfterMs).toISOString();
    logger.info("certificate renewed", {
      ...{ serialNumber, validTo, replaced: replaced.serialNumber },
      archive: renewalFiles(config.identity).archive,
    });
    return LOOK_MS;
  }

  async #adopt(identity: OwnIdentity): Promise<void> {
    await this.#noteFresh(identity);
    await this.#parts.adopt(identity);
  }

  /** The key was made here and stood in no list of validators yet: it has cast no vote. */
  async #noteFresh({ signer }: OwnIdentity): Promise<void> {
    const { disk } = this.#parts;
    await noteFreshKey({ disk, folder: VOTE_LOG_FOLDER, publicKey: signer.publicKey });
  }

  #isPresented(identity: OwnIdentity): boolean {
    const { serialNumber } = this.#parts.identity().certificate;
    return serialNumber === identity.certificate.serialNumber;
  }

  async #nextIdentity(next: OpenedKey): Promise<OwnIdentity> {
    const path = renewalFiles(this.#parts.config.identity).certificate;
    return { ...readCertificateChain(await readFile(path, "utf8"), path), ...next };
  }

  #enter(state: State): void {
    if (this.#state === state) return;
    this.#state = state;
    const { metrics, logger, config } = this.#parts;
    const gauge = metrics.gauge(renewalMetrics.state);
    for (const each of STATES) gauge.set(each === state ? 1 : 0, { state: each });
    if (state !== "waiting") {
      logger.debug("renewal goes on", { state });
      return;
    }
    const code = "NODE_RENEWAL_WAITS";
    const { codeFile } = config.renewal;
    const hours = (this.#present.certificate.notAfterMs - this.#parts.clock.nowMs()) / 3_600_000;
    logger.warn("renewal waits for its one-time code", { code, codeFile, hours });
  }

  /** Nothing of a renewal is worth the node: what failed is told, and tried again later. */
  async #fail(error: unknown): Promise<number> {
    const { config, logger, metrics } = this.#parts;
    const { retryFirstMs, retryMaxMs, codeFile } = config.renewal;
    const known = error instanceof RenewalError ? error : null;
    const code = known?.code ?? "NODE_RENEWAL_FAILED";
    const reason = known?.details.reason ?? (error instanceof AppError ? error.code : "unknown");
    metrics.counter(renewalMetrics.failures).add(1, { code });
    logger.error("renewal does not go on", { code, reason, error });
    if (code === "NODE_RENEWAL_CODE_REFUSED") {
      await refuseCode(codeFile).catch((cause: unknown) => {
        logger.error("refused code not put aside", { code, error: cause });
      });
    }
    const delayMs = Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return delayMs;
  }
}

function toPem(der: Uint8Array): string {
  const certificate = parseCertificate(der);
  invariant(certificate.ok, "the chain was read, and the new certificate checked");
  return certificateToPem(certificate.value);
}

/** Begins to watch over the node's certificate. */
export function createRenewer(parts: RenewerParts): Renewer {
  return new NodeRenewer(parts);
}
