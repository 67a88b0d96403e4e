import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import { CLEAR } from "./direction.ts";
import type { Fault } from "./schedule.ts";

/** How often a node on a full disk is looked at, milliseconds. */
const POLL_MS = 100;
/** How long a process may take from its last write to its end, milliseconds. */
const SETTLE_MS = 1_000;

/** Does a fault to a network, waits as long as it lasts, and undoes it. Nodes may still be starting. */
export async function applyFault(cluster: Cluster, fault: Fault): Promise<void> {
  switch (fault.kind) {
    case "kill":
      await Promise.all(fault.nodes.map((name) => cluster.kill(name)));
      await delay(fault.forMs);
      for (const name of fault.nodes) cluster.start(name);
      return;
    case "stop":
      for (const name of fault.nodes) cluster.halt(name, true);
      await delay(fault.forMs);
      for (const name of fault.nodes) cluster.halt(name, false);
      return;
    case "partition":
      for (const [from, to] of fault.ways) cluster.links.set(from, to, { ...CLEAR, isCut: true });
      await delay(fault.forMs);
      cluster.links.heal();
      return;
    case "delay": {
      const { delayMs, bytesPerSecond } = fault;
      const condition = { isCut: false, delayMs, bytesPerSecond };
      for (const [from, to] of fault.ways) cluster.links.set(from, to, condition);
      await delay(fault.forMs);
      cluster.links.heal();
      return;
    }
    case "clock":
      for (const name of fault.nodes) cluster.setClock(name, fault.offsetMs);
      await delay(fault.forMs);
      for (const name of fault.nodes) cluster.setClock(name, 0);
      return;
    case "disk":
      for (const name of fault.nodes) await fillUntilItEnds(cluster, name, fault);
      return;
  }
}

/** A node whose disk is full must end by itself rather than go on with what it cannot store. */
async function fillUntilItEnds(
  cluster: Cluster,
  name: string,
  fault: Extract<Fault, { readonly kind: "disk" }>,
): Promise<void> {
  cluster.fillDisk(name, fault.freeBytes);
  const endMs = performance.now() + fault.forMs;
  while (cluster.isUp(name) && performance.now() < endMs) await delay(POLL_MS);
  cluster.emptyDisk(name);
  // One that is about to end for want of room still may.
  await delay(SETTLE_MS);
  cluster.endDiskFault(name);
  cluster.start(name);
}
