import { join } from "node:path";
import type { Client } from "@credlink/client";
import { commitCertificateCodec } from "@credlink/consensus-pbft";
import { blockCodec } from "@credlink/ledger";
import { loadConfig, type RepairResult, repairNode } from "@credlink/node";
import { AppError, fromHex, type Height, type Logger, tryDecode } from "@credlink/primitives";
import { type ConnectionOptions, connect } from "./connection.ts";
import type { Streams } from "./output.ts";

/** What is built again speaks on standard error; the answer stands alone on standard output. */
function createStreamLogger(streams: Streams): Logger {
  const write = (message: string, fields: object = {}): void =>
    streams.err(`${message} ${JSON.stringify(fields)}\n`);
  const logger: Logger = {
    error: write,
    warn: write,
    info: write,
    debug: () => undefined,
    child: () => logger,
  };
  return logger;
}

/** A block as another node's gateway gives it; null when it gives none, or nothing that reads. */
async function fetchBlock(client: Client, at: Height) {
  try {
    const answer = await client.call("block.get", { height: at, transactions: true });
    const block = tryDecode(blockCodec, fromHex(answer.block));
    const certificate = tryDecode(commitCertificateCodec, fromHex(answer.certificate));
    if (!block.ok || !certificate.ok) return null;
    const transactions = (answer.transactions ?? []).map((one) => fromHex(one));
    return { block: block.value, certificate: certificate.value, transactions };
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/**
 * Repairs a stopped node; damaged blocks are asked of the gateway that the options name, if any.
 * @throws StorageError NODE_STORAGE_LOCKED while the node runs; ConfigError, NodeError
 */
export async function repair(
  options: ConnectionOptions & { readonly dir: string },
  streams: Streams,
): Promise<RepairResult> {
  const config = await loadConfig({ file: join(options.dir, "node.yaml") });
  const logger = createStreamLogger(streams);
  const hasPeer = options.network !== undefined || options.rpc !== undefined;
  if (!hasPeer) return repairNode(config, logger);
  const client = await connect(options);
  return repairNode(config, logger, (at) => fetchBlock(client, at));
}
