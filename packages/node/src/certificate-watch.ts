import type { Certificate } from "@credlink/crypto";
import type { Clock, Logger, Metrics } from "@credlink/primitives";
import { nodeMetrics } from "./metrics.ts";

/** How often the time left is measured, milliseconds. */
export const CERTIFICATE_CHECK_MS = 60_000;
/** How often a node whose certificate nears its end says so, milliseconds. */
export const CERTIFICATE_REMINDER_MS = 86_400_000;
/** From when on it says so: a third of the validity, but at most 30 days before the end. */
const LONGEST_NOTICE_MS = 30 * 86_400_000;

/** Follows the time left of a node's own certificate. */
export interface CertificateWatch {
  stop(): void;
}

/**
 * Shows how long the node's own certificate lasts, and reminds its operator once a day when it nears
 * its end: peers cut the node at that moment.
 * @param certificate asked at every look: a renewal replaces it
 */
export function watchCertificate(
  certificate: () => Certificate,
  components: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
): CertificateWatch {
  const { clock, logger, metrics } = components;
  const gauge = metrics.gauge(nodeMetrics.certificateEnd);
  let remindedMs = Number.NEGATIVE_INFINITY;
  let cancel = (): void => undefined;
  const look = (): void => {
    const { notBeforeMs, notAfterMs } = certificate();
    const endMs = notAfterMs + 1_000;
    const noticeMs = Math.min(LONGEST_NOTICE_MS, (endMs - notBeforeMs) / 3);
    const leftMs = endMs - clock.nowMs();
    gauge.set(leftMs / 1_000);
    const monotonicMs = clock.monotonicMs();
    if (leftMs <= noticeMs && monotonicMs - remindedMs >= CERTIFICATE_REMINDER_MS) {
      remindedMs = monotonicMs;
      const validTo = new Date(endMs).toISOString();
      const code = "NODE_CERTIFICATE_ENDS_SOON";
      logger.warn("own certificate nears its end", { code, validTo, hours: leftMs / 3_600_000 });
    }
    cancel = clock.schedule(CERTIFICATE_CHECK_MS, look);
  };
  look();
  return { stop: () => cancel() };
}
