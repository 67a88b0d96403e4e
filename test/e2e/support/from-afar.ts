import { join } from "node:path";
import { findMember, loadNetwork } from "@credlink/cli";
import { credlinkJson } from "./command.ts";
import type { TestNetwork } from "./network.ts";

/** A node as an operator knows it who has no folder of its network. */
export interface FarNode {
  readonly rpc: string;
  readonly peerId: string;
}

/** `node …` from a machine that has but a member's key, the genesis and the gateway's address. */
export function fromAfar(
  network: TestNetwork,
  { rpc, peerId }: FarNode,
  as: string,
  ...command: readonly string[]
) {
  const member = findMember(loadNetwork(network.dir), as);
  const file = (name: string) => join(network.dir, name);
  return credlinkJson(
    ...["node", ...command, "--rpc", rpc, "--genesis", file("genesis.bin"), "--peer", peerId],
    ...["--key", file(member.key), "--password-file", file(member.passwordFile)],
  );
}
