import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@credlink/client";
import { ClientError, GatewayError } from "@credlink/client";
import { toHex } from "@credlink/primitives";

/** A block as it was read from a node that did not propose it. */
export interface SeenBlock {
  readonly height: number;
  readonly timestampMs: number;
  /** When it could be read, on the bench's own monotonic clock. */
  readonly seenMs: number;
  /** Hexadecimal id and status of each transaction. */
  readonly transactions: readonly {
    readonly id: string;
    readonly status: string;
    readonly gasUsed: number;
  }[];
}

/** Reads every new block, with its receipts, until it is told to stop. */
export interface BlockReader {
  /** Reads what there is, and ends. */
  stop(): Promise<void>;
}

const POLL_MS = 20;

/**
 * Reads blocks above `fromHeight`. Node `i` is validator `i`; a block is taken from another node
 * than its proposer, so that what counts has crossed the network.
 */
export function readBlocks(
  validators: readonly Client[],
  fromHeight: number,
  onBlock: (block: SeenBlock) => void,
): BlockReader {
  let isOn = true;
  const run = async (): Promise<void> => {
    for (let height = fromHeight + 1; ; ) {
      const block = await readBlock(validators, height);
      if (block !== null) {
        onBlock(block);
        height += 1;
      } else if (isOn) {
        await delay(POLL_MS);
      } else {
        return;
      }
    }
  };
  const done = run();
  return {
    stop: () => {
      isOn = false;
      return done;
    },
  };
}

/** Null when a node that did not propose it does not have the block yet. */
async function readBlock(validators: readonly Client[], height: number): Promise<SeenBlock | null> {
  const reader = validators[height % validators.length];
  if (reader === undefined) throw new Error("there are validators");
  const first = await tryRead(reader, height);
  if (first === null) return null;
  const proposer = first.header.header.proposer;
  const isOwn = validators.length > 1 && validators[proposer] === reader;
  const other = validators[(proposer + 1) % validators.length] ?? reader;
  const found = isOwn ? await tryRead(other, height) : first;
  if (found === null) return null;
  return {
    height,
    timestampMs: found.header.header.timestampMs,
    seenMs: performance.now(),
    transactions: found.receipts.map((receipt) => ({
      id: toHex(receipt.transactionId),
      status: receipt.status,
      gasUsed: receipt.gasUsed,
    })),
  };
}

async function tryRead(client: Client, height: number) {
  try {
    return await client.block(height, { transactions: true });
  } catch (error) {
    if (error instanceof GatewayError || isOutOfReach(error)) return null;
    throw error;
  }
}

/** Whether a node did not answer: it is down, or on its way up. */
export function isOutOfReach(error: unknown): boolean {
  if (!(error instanceof ClientError)) return false;
  return error.code === "CLIENT_UNREACHABLE" || error.code === "CLIENT_TIMEOUT";
}
