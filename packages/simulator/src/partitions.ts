import type { SeededRandom } from "@credlink/testkit";
import type { Cluster } from "./cluster.ts";
import type { PartitionMode } from "./plan.ts";

/** Breaks the network into parts as the mode says; an earlier partition ends with it. */
export function partition(mode: PartitionMode, cluster: Cluster, random: SeededRandom): void {
  const { network } = cluster;
  const names = random.shuffle(cluster.nodes.map(({ name }) => name));
  const [first] = names;
  if (first === undefined) return;
  switch (mode) {
    case "none":
      return;
    case "flapping":
    case "uniform-partition": {
      const sides = names.map((name) => ({ name, isLeft: random.chance(0.5) }));
      const side = (isLeft: boolean) =>
        sides.filter((one) => one.isLeft === isLeft).map(({ name }) => name);
      network.partition([side(true), side(false)]);
      return;
    }
    case "uniform-size": {
      const at = random.integer(names.length + 1);
      network.partition([names.slice(0, at), names.slice(at)]);
      return;
    }
    case "isolate-one":
      network.partition([names.slice(1)]);
      return;
    case "bridge": {
      const at = Math.ceil(names.length / 2);
      network.partition([names.slice(0, at), [first, ...names.slice(at)]]);
      return;
    }
    case "ring":
      network.partition(names.map((name, at) => [name, names[(at + 1) % names.length] ?? name]));
      return;
    case "one-way-primary": {
      const heard = cluster.nodes.find(({ engine }) => engine !== null);
      const status = heard?.engine?.status().replica;
      const set = status === undefined ? null : cluster.checkers.validators.at(status.height);
      const primary = set?.validators[status?.primary ?? 0]?.nodeId ?? first;
      for (const name of names) if (name !== primary) network.setCut(primary, name, true);
    }
  }
}
