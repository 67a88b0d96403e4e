/** A validator that the test plays by hand, in a cluster whose other members keep the rules. */
import {
  type Height,
  height,
  type ValidatorIndex,
  validatorIndex,
  view,
} from "@credlink/primitives";
import { createTestCluster, proposalOf, type TestCluster } from "../../src/compliance.ts";
import type { Justification, Message, Proposal, UnsignedMessage } from "../../src/messages.ts";

export const LIVE = [0, 2, 3];
/** Number of the liar: the primary of (1, 0). */
export const BAD = 1;
export const h1 = height(1);
export const v0 = view(0);
export const self: ValidatorIndex = validatorIndex(BAD);

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Four validators of which number 1, the primary of (1, 0), is played by the test. */
export function clusterWithLiar(options: Partial<Parameters<typeof createTestCluster>[0]> = {}) {
  const cluster = createTestCluster({ n: 4, ...options });
  cluster.byzantine.add(BAD);
  cluster.start();
  return cluster;
}

/** A block on genesis that keeps every rule, made by `proposer`. */
export function blockOn(
  cluster: TestCluster,
  transactions: readonly Uint8Array[],
  at: Height = h1,
  proposer: ValidatorIndex = self,
): Proposal {
  return proposalOf({
    height: at,
    parentDigest: cluster.genesisDigest,
    proposer,
    timestampMs: cluster.nowMs,
    validatorsHash: cluster.validatorsAt(1).hash,
    nextValidatorsHash: cluster.validatorsAt(2).hash,
    transactions,
  });
}

/** A pre-prepare of `sender` for a block. */
export function prePrepare(
  proposal: Proposal,
  atView = v0,
  justification: Justification | null = null,
  sender: ValidatorIndex = self,
): UnsignedMessage {
  return {
    type: "pre-prepare",
    height: proposal.height,
    view: atView,
    parentDigest: proposal.parentDigest,
    digest: proposal.digest,
    sender,
    proposal,
    transactions: [],
    justification,
  };
}

/** Signs a message with its sender's key and puts it on the wire. */
export function tell(
  cluster: TestCluster,
  message: UnsignedMessage,
  to: readonly number[] = LIVE,
): Message {
  const from = message.type === "decided" ? BAD : message.sender;
  const signed = cluster.sign(from, message);
  for (const node of to) cluster.deliver(from, node, signed);
  return signed;
}
