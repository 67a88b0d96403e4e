/**
 * The `credlink` command, and what it makes networks of: for the demo, the bench and tests.
 *
 * ```ts
 * import { createNetwork, planNetwork, startNetwork } from "@credlink/cli";
 *
 * await createNetwork(dir, planNetwork({ validators: 4 }));
 * const running = await startNetwork(dir);
 * running.nodes[0]?.rpc; // http://127.0.0.1:…/rpc
 * await running.stop();
 * ```
 */
export { createUser } from "./commands/member.ts";
export { connect, loadIdentity, loadNetworkIdentity } from "./connection.ts";
export { completeDraft, findDifferences, readCredentialInput } from "./credential-draft.ts";
export { CliError, type CliErrorCode, cliErrors } from "./errors.ts";
export {
  type Authority,
  certifyKey,
  createMember,
  createOrganizationAuthority,
  createRoot,
  type Issued,
  loadAuthority,
} from "./network/authority.ts";
export { type CreateNetworkOptions, createNetwork } from "./network/create.ts";
export {
  findMember,
  findNode,
  loadNetwork,
  type Network,
  type NetworkNode,
  networkPaths,
  p2pAddress,
  rpcUrl,
} from "./network/layout.ts";
export { type Settings, saveNetwork, writeNodeConfigs } from "./network/node-config.ts";
export {
  commandLine,
  type NodeProcess,
  type NodeProcessOptions,
  startNodeProcess,
  waitUntilReady,
} from "./network/node-process.ts";
export {
  defaultParameters,
  type NetworkPlan,
  type PlanOptions,
  planNetwork,
} from "./network/plan.ts";
export { networkStatus, renderTable } from "./network/status.ts";
export {
  type RunningNetwork,
  type RunningNodeInfo,
  type StartOptions,
  startNetwork,
  stopNetwork,
} from "./network/supervise.ts";
export { exitCodes } from "./output.ts";
export { buildProgram, runCommand } from "./program.ts";
