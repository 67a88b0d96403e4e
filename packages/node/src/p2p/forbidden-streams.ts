import type { Clock, Logger } from "@credlink/primitives";
import { RateLimiter } from "../engine/token-bucket.ts";
import { FailureLimiter } from "./failure-limiter.ts";
import type { ConnectedPeer } from "./peer-table.ts";

/** Streams that its role forbids which a peer may open before it is cut. */
export const FORBIDDEN_STREAMS = { maxFailures: 100, windowMs: 60_000 };
/** A peer and protocol are reported once in so long, milliseconds. */
const REPORT_MS = 60_000;
/** What such a stream is reported with. */
const CODE = "NODE_PEER_PROTOCOL_FORBIDDEN";

/** Reports peers that open protocols which their role may not, and cuts those that go on. */
export function createForbiddenStreams(parts: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly banMs: number;
  readonly report: (peer: ConnectedPeer, reason: string) => void;
  readonly cut: (peer: ConnectedPeer, code: string) => void;
}): (peer: ConnectedPeer, protocol: string) => void {
  const { clock, logger, banMs, report, cut } = parts;
  const streams = new FailureLimiter({ ...FORBIDDEN_STREAMS, banMs }, clock);
  const reports = new RateLimiter({ perSecond: 1_000 / REPORT_MS, burst: 1 }, clock);
  return (peer, protocol) => {
    const { id: peerId, nodeId, role } = peer;
    if (reports.take(`${peerId} ${protocol}`) === 0) {
      logger.warn("protocol refused", { peerId, nodeId, role, protocol, code: CODE });
      report(peer, `${CODE} ${protocol}`);
    }
    if (streams.fail(peerId)) cut(peer, CODE);
  };
}
