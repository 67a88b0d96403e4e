import { AppError, type Logger } from "@credlink/primitives";
import type { NodeConfig } from "./config/schema.ts";
import { exitCodes } from "./exit-codes.ts";
import { createLogger, flushLogger } from "./logger.ts";
import { type RunningNode, type StartOptions, startNode } from "./node.ts";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Starts the node, or logs why not. */
async function startLogged(
  config: NodeConfig,
  options: StartOptions & { readonly logger: Logger },
): Promise<RunningNode | undefined> {
  try {
    return await startNode(config, options);
  } catch (error) {
    const code = error instanceof AppError ? error.code : "NODE_FATAL";
    options.logger.error("node cannot start", { code, error });
    return undefined;
  }
}

/**
 * Runs one node until SIGTERM or SIGINT, then stops it gracefully.
 * @returns the process's exit code, one of `exitCodes`
 */
export async function runNode(config: NodeConfig, options: StartOptions = {}): Promise<number> {
  const { level, file } = config.log;
  const logger = options.logger ?? createLogger({ level, file });
  const onFatal = options.onFatal ?? (() => undefined);
  const asked = Promise.withResolvers<void>();
  const ask = (): void => asked.resolve();
  for (const signal of SIGNALS) process.once(signal, ask);
  try {
    const node = await startLogged(config, { ...options, logger, onFatal });
    if (node === undefined) return exitCodes.startFailed;
    await Promise.race([asked.promise, node.stopped]);
    const isInTime = await node.stop().then(
      () => true,
      (error: unknown) => {
        logger.error("node did not stop in time", { code: "NODE_STOP_TIMEOUT", error });
        return false;
      },
    );
    if ((await node.stopped) !== undefined) return exitCodes.fatal;
    return isInTime ? exitCodes.stopped : exitCodes.stopTimeout;
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, ask);
    flushLogger(logger);
  }
}
