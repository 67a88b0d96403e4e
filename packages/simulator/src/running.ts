import type { SeededRandom } from "@credlink/testkit";
import type { Cluster } from "./cluster.ts";

/** Steps until a moment, the first failure, or what `isDone` waits for. */
export async function stepUntil(
  cluster: Cluster,
  untilMs: number,
  isDone: () => boolean,
): Promise<void> {
  const { clock } = cluster;
  while (cluster.failure === null && clock.monotonicMs() < untilMs && !isDone()) {
    if (!(await clock.runNext())) return;
  }
}

/** Submits transactions at random nodes as long as `isActive`; calls back before each. */
export function submitRegularly(
  cluster: Cluster,
  random: SeededRandom,
  everyMs: number,
  isActive: () => boolean,
  onTick: () => void = () => {},
): void {
  const tick = (): void => {
    if (!isActive()) return;
    onTick();
    const up = cluster.nodes.filter(({ isUp }) => isUp);
    if (up.length > 0) void cluster.submit(random.pick(up));
    cluster.clock.schedule(random.between(0.2, 1.8) * everyMs, tick);
  };
  tick();
}
