import { verifyCommitCertificate } from "@credlink/consensus-pbft";
import { sm2Verify } from "@credlink/crypto";
import { type Finding, headerDigest, type Ledger } from "@credlink/ledger";
import {
  encode,
  equalBytes,
  type Height,
  type Logger,
  type Network,
  type Random,
  tryDecode,
} from "@credlink/primitives";
import {
  BLOCKS_PROTOCOL,
  blockRangeReplyCodec,
  blockRangeRequestCodec,
  MAX_BLOCKS_FRAME_BYTES,
  type TransferredBlock,
} from "../engine/protocols.ts";

/** The part of a network that a check asks peers by. */
export type AskedNetwork = Pick<Network, "peers" | "request">;

/** What asking peers needs. */
export interface PeerCheckComponents {
  readonly ledger: Ledger;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Asks a peer by chance for a block of the sample. A certificate that verifies under V(height) and
 * names another block than ours is a finding: all that we hold below that height may be forged.
 * Whatever a peer says without such a certificate changes nothing.
 */
export async function checkWithPeer(
  { ledger, random, logger }: PeerCheckComponents,
  network: AskedNetwork,
  heights: readonly Height[],
  { requestTimeoutMs }: { readonly requestTimeoutMs: number },
): Promise<Finding | null> {
  const peers = network.peers().filter(({ provisional }) => !provisional);
  const asked = heights.filter((at) => at > 0);
  const peer = peers[random.integer(Math.max(1, peers.length))];
  const at = asked[random.integer(Math.max(1, asked.length))];
  if (peer === undefined || at === undefined) return null;
  try {
    const request = encode(blockRangeRequestCodec, { from: at, count: 1 });
    const options = { timeoutMs: requestTimeoutMs, maxReplyBytes: MAX_BLOCKS_FRAME_BYTES };
    const reply = await network.request(peer.id, BLOCKS_PROTOCOL, request, options);
    const limits = { maxBytes: MAX_BLOCKS_FRAME_BYTES };
    const decoded = tryDecode(blockRangeReplyCodec, reply, limits);
    const [block] = decoded.ok ? decoded.value : [];
    return block === undefined ? null : judgeAnswer(ledger, at, block);
  } catch (error) {
    logger.debug("no block to compare with", { peer: peer.id, height: at, error });
    return null;
  }
}

/** A certified block of `at` that is not ours, as a finding. */
export function judgeAnswer(
  ledger: Ledger,
  at: Height,
  { block, certificate }: TransferredBlock,
): Finding | null {
  const { chainId, genesisDigest } = ledger;
  const validators = ledger.validatorsAt(at);
  const digest = headerDigest(block.header);
  const isCertified =
    validators !== null &&
    block.header.height === at &&
    certificate.height === at &&
    equalBytes(certificate.digest, digest) &&
    verifyCommitCertificate(certificate, validators, { chainId, genesisDigest }, sm2Verify).ok;
  const own = ledger.header(at);
  if (!isCertified || own === null || equalBytes(own.digest, digest)) return null;
  const detail = "a peer holds a certificate for another block";
  const key = new Uint8Array(8);
  new DataView(key.buffer).setBigUint64(0, BigInt(at));
  return { code: "LEDGER_VERIFY_BLOCK_INVALID", space: "blocks", key, height: at, detail };
}
