/**
 * A deterministic cluster of real replicas in one thread, for tests of this package and of
 * whatever else wants to hold the protocol to its promises. Not part of the package's main door.
 */
export { Checks, isCovered } from "./compliance/checks.ts";
export {
  createTestCluster,
  type Delivery,
  TestCluster,
  type TestClusterOptions,
} from "./compliance/cluster.ts";
export * from "./compliance/fakes.ts";
export { type StoredBlock, TestNode } from "./compliance/node.ts";
