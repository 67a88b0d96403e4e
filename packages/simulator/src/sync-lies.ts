import {
  blockRangeReplyCodec,
  MAX_BLOCKS_FRAME_BYTES,
  MAX_STATUS_BYTES,
  statusCodec,
  type TransferredBlock,
} from "@credlink/node/engine";
import { decode, encode, height } from "@credlink/primitives";
import type { SeededRandom } from "@credlink/testkit";

const RAISE = 1_000;

/** A status whose head is far above what its certificate is for. */
export function raiseStatus(bytes: Uint8Array): Uint8Array {
  const status = decode(statusCodec, bytes, { maxBytes: MAX_STATUS_BYTES });
  const { header, certificate } = status;
  const raised = height(status.height + RAISE);
  return encode(statusCodec, {
    ...status,
    height: raised,
    header: header === null ? null : { ...header, height: raised },
    certificate: certificate === null ? null : { ...certificate, height: raised },
  });
}

function falsify(item: TransferredBlock, kind: number): TransferredBlock {
  const { block, certificate, transactions } = item;
  switch (kind) {
    case 0: {
      const timestampMs = block.header.timestampMs + 1;
      return { ...item, block: { ...block, header: { ...block.header, timestampMs } } };
    }
    case 1:
      return {
        ...item,
        certificate: { ...certificate, signatures: certificate.signatures.slice(1) },
      };
    case 2:
      return { ...item, transactions: transactions.slice(1) };
    default: {
      const body = { ...block.body, transactionIds: block.body.transactionIds.slice(1) };
      return { ...item, block: { ...block, body } };
    }
  }
}

/** A reply that is noise, empty, or has one thing wrong in every block. */
export function falsifyBlocks(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const kind = random.integer(6);
  if (kind === 4) return encode(blockRangeReplyCodec, []);
  if (kind === 5) return random.bytes(200);
  const blocks = decode(blockRangeReplyCodec, bytes, { maxBytes: MAX_BLOCKS_FRAME_BYTES });
  return encode(
    blockRangeReplyCodec,
    blocks.map((block) => falsify(block, kind)),
  );
}
