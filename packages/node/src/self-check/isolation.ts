import type { Logger, Metrics } from "@credlink/primitives";
import { nodeMetrics } from "../metrics.ts";
import {
  type DataFault,
  describeFinding,
  type PollutionMark,
  readMark,
  writeMark,
} from "./mark.ts";

/** Whether this node has cut itself off because its data cannot be trusted. */
export interface Isolation {
  readonly isOn: boolean;
  /** Marks the data, durably, and cuts the node off; the first call counts. */
  begin(findings: readonly DataFault[], cutOff: () => Promise<void>): Promise<void>;
  /** Resolves when what `begin` started has ended. */
  readonly settled: Promise<void>;
}

/** What an isolation works with. */
export interface IsolationComponents {
  readonly dataDir: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Names every finding to the operator, with what cures it. */
function logFindings(logger: Logger, { findings }: PollutionMark): void {
  for (const finding of findings) {
    logger.error("own data polluted", { ...finding, finding: finding.code });
  }
  logger.error("node isolated: stop it and run `credlink node repair`", {
    code: "NODE_DATA_POLLUTED",
    findings: findings.length,
  });
}

/** The isolation of one node; on from the start when its data are marked. */
export async function createIsolation(parts: IsolationComponents): Promise<Isolation> {
  const { dataDir, logger, metrics } = parts;
  const gauge = metrics.gauge(nodeMetrics.polluted);
  const mark = await readMark(dataDir);
  let isOn = mark !== null;
  let settled: Promise<void> = Promise.resolve();
  gauge.set(isOn ? 1 : 0);
  if (mark !== null) logFindings(logger, mark);

  const cut = async (
    findings: readonly DataFault[],
    cutOff: () => Promise<void>,
  ): Promise<void> => {
    logFindings(logger, { findings: findings.map(describeFinding) });
    // Votes and answers end first; the mark is for the next start.
    await Promise.all([cutOff(), writeMark(dataDir, findings)]);
  };

  return {
    get isOn() {
      return isOn;
    },
    begin(findings, cutOff) {
      if (isOn) return settled;
      isOn = true;
      gauge.set(1);
      settled = cut(findings, cutOff);
      return settled;
    },
    get settled() {
      return settled;
    },
  };
}
