import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@credlink/client";

/** What all nodes hold at one height. */
export interface Agreement {
  readonly height: number;
  readonly digest: string;
  readonly stateRoot: string;
  readonly nodes: number;
}

const TIMEOUT_MS = 20_000;

/**
 * Waits until every node has the same head at or above `minHeight`.
 * @throws Error when two nodes hold different blocks at one height, or when one stays behind
 */
export async function waitForAgreement(
  clients: readonly Client[],
  minHeight: number,
): Promise<Agreement> {
  const endMs = performance.now() + TIMEOUT_MS;
  for (;;) {
    const heads = await Promise.all(clients.map((client) => client.info()));
    const heights = heads.map((head) => head.height);
    const lowest = Math.min(...heights);
    const [first] = heads;
    if (first !== undefined && lowest >= minHeight && Math.max(...heights) === lowest) {
      const isSame = heads.every(
        (head) => head.headDigest === first.headDigest && head.stateRoot === first.stateRoot,
      );
      if (!isSame) throw new Error(`the nodes hold different blocks at height ${lowest}`);
      const { headDigest, stateRoot } = first;
      return { height: lowest, digest: headDigest, stateRoot, nodes: heads.length };
    }
    if (performance.now() > endMs) throw new Error(`heights stay apart: ${heights.join(", ")}`);
    await delay(50);
  }
}
