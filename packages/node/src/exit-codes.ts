/** Exit codes of a process that runs a node. */
export const exitCodes = {
  /** Stopped as asked. */
  stopped: 0,
  /** Could not start: configuration, keys, genesis, ports. */
  startFailed: 1,
  /** A fault after which the node must not go on: the log's last error names it. */
  fatal: 4,
  /** A graceful stop did not end in time. */
  stopTimeout: 5,
} as const;
