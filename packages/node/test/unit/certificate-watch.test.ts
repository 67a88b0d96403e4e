import { createSimulatedClock } from "@credlink/testkit";
import { describe, expect, test } from "vitest";
import { watchCertificate } from "../../src/certificate-watch.ts";
import { nodeMetrics } from "../../src/metrics.ts";
import { createAuthority, createCredential, createRoot } from "../support/consortium.ts";
import { createRecordingLogger, createRecordingMetrics } from "../support/recording.ts";

const DAY_MS = 86_400_000;

/** Watches a certificate of `days` for `watchedDays` from its start on. */
async function watch(days: number, watchedDays: number) {
  const startMs = Math.floor(Date.now() / 1_000) * 1_000;
  const authority = await createAuthority(await createRoot(), "Org One");
  const lifetime = { notBeforeMs: startMs, notAfterMs: startMs + days * DAY_MS };
  const { certificate } = await createCredential(authority, "node", "validator", lifetime);
  const clock = createSimulatedClock({ startMs });
  const logger = createRecordingLogger();
  const metrics = createRecordingMetrics();
  const watched = watchCertificate(() => certificate, { clock, logger, metrics });
  await clock.runUntil(clock.monotonicMs() + watchedDays * DAY_MS);
  watched.stop();
  const left = metrics.value(nodeMetrics.certificateEnd);
  return { left, reminders: logger.entries.filter(({ level }) => level === "warn") };
}

describe("S-8.4-9: a node tells its operator in time that its certificate ends", () => {
  test.each([
    [90, 59, 0],
    [90, 61, 1],
    [90, 63, 3],
    [9, 5, 0],
    [9, 7, 1],
  ])("of %i days, watched for %i: %i reminders", async (days, watchedDays, count) => {
    const { left, reminders } = await watch(days, watchedDays);
    expect(reminders).toHaveLength(count);
    expect(left).toBe((days - watchedDays) * 86_400 + 1);
    for (const { fields } of reminders) {
      expect(fields.code).toBe("NODE_CERTIFICATE_ENDS_SOON");
    }
  });
});
