import type { ComponentLogger, Logger } from "@libp2p/interface";

const silent = (): void => {};
const logger: Logger = Object.assign(silent, {
  error: silent,
  trace: silent,
  enabled: false,
  newScope: (): Logger => logger,
});

/** libp2p's own log is for its developers: what operators need is logged by this package. */
export const silentComponentLogger: ComponentLogger = { forComponent: () => logger };
