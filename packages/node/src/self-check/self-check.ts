import { verifyCommitCertificate } from "@credlink/consensus-pbft";
import { sm2Verify } from "@credlink/crypto";
import {
  type BlockChecks,
  checkStateRow,
  checkStoredBlock,
  type Finding,
  type KeyValueStore,
  type Ledger,
} from "@credlink/ledger";
import type { Clock, Logger, Metrics, Random } from "@credlink/primitives";
import { nodeMetrics } from "../metrics.ts";
import { type AskedNetwork, checkWithPeer } from "./peer-check.ts";
import { createSampler, type Sampler } from "./sampler.ts";

/** How much is looked at, and how often. */
export interface SelfCheckOptions {
  readonly intervalMs: number;
  /** Heights a run. */
  readonly heights: number;
  /** Rows of state a run. */
  readonly stateRows: number;
  /** How long a peer may take to answer, milliseconds. */
  readonly requestTimeoutMs: number;
}

/** What the check works with. */
export interface SelfCheckComponents {
  readonly store: KeyValueStore;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Finds out whether this node's own data were changed behind its back. */
export interface SelfCheck {
  /** One run over a sample; with a network, peers are asked too. */
  run(network: AskedNetwork | null): Promise<readonly Finding[]>;
  /** Runs again and again until something is found; that is told once. */
  start(network: AskedNetwork, onPolluted: (findings: readonly Finding[]) => void): void;
  /** No further run begins; resolves when the one under way has ended. */
  stop(): Promise<void>;
}

class PeriodicCheck implements SelfCheck {
  readonly #options: SelfCheckOptions;
  readonly #parts: SelfCheckComponents;
  readonly #sampler: Sampler;
  readonly #checks: BlockChecks;
  #cancel: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: SelfCheckOptions, parts: SelfCheckComponents) {
    this.#options = options;
    this.#parts = parts;
    this.#sampler = createSampler(parts.store, parts.random);
    const { ledger } = parts;
    const { chainId, genesisDigest } = ledger;
    this.#checks = {
      genesisDigest,
      validatorsAt: (at) => ledger.validatorsAt(at),
      verifyCertificate: (certificate, validators) =>
        verifyCommitCertificate(certificate, validators, { chainId, genesisDigest }, sm2Verify).ok,
    };
  }

  async run(network: AskedNetwork | null): Promise<readonly Finding[]> {
    const { store, ledger, metrics, logger } = this.#parts;
    const findings: Finding[] = [];
    const heights = this.#sampler.heights(ledger.head.header.height, this.#options.heights);
    for (const at of heights) {
      if (this.#isStopped) return [];
      findings.push(...(await checkStoredBlock(store, at, this.#checks)));
      await this.#breathe();
    }
    for (const row of await this.#sampler.stateRows(this.#options.stateRows)) {
      if (this.#isStopped) return [];
      const finding = checkStateRow(store, row);
      if (finding !== null) findings.push(finding);
      await this.#breathe();
    }
    if (network !== null && !this.#isStopped) {
      const finding = await checkWithPeer(this.#parts, network, heights, this.#options);
      if (finding !== null) findings.push(finding);
    }
    const outcome = findings.length === 0 ? "clean" : "polluted";
    metrics.counter(nodeMetrics.selfChecks).add(1, { outcome });
    for (const { space } of findings) {
      metrics.counter(nodeMetrics.pollutedRows).add(1, { space });
    }
    logger.debug("own data checked", { heights: heights.length, findings: findings.length });
    return findings;
  }

  /** Lets what waits for this thread go first: votes are in more of a hurry. */
  #breathe(): Promise<void> {
    return new Promise((resolve) => this.#parts.clock.schedule(0, resolve));
  }

  start(network: AskedNetwork, onPolluted: (findings: readonly Finding[]) => void): void {
    this.#cancel = this.#parts.clock.schedule(this.#options.intervalMs, () => {
      this.#running = this.run(network).then(
        (findings) => {
          if (this.#isStopped) return;
          if (findings.length > 0) onPolluted(findings);
          else this.start(network, onPolluted);
        },
        (error: unknown) => {
          this.#parts.logger.error("own data not checked", { error });
          if (!this.#isStopped) this.start(network, onPolluted);
        },
      );
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#running;
  }
}

/** Makes the check of one node; nothing runs before it is asked to. */
export function createSelfCheck(options: SelfCheckOptions, parts: SelfCheckComponents): SelfCheck {
  return new PeriodicCheck(options, parts);
}
