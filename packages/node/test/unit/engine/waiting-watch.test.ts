import { createSimulatedClock } from "@credlink/testkit";
import { expect, it } from "vitest";
import { createInstruments, engineMetrics } from "../../../src/engine/metrics.ts";
import {
  createWaitingWatch,
  LONG_WAIT_MS,
  WAIT_LINE_INTERVAL_MS,
} from "../../../src/engine/waiting-watch.ts";
import { createRecordingLogger, createRecordingMetrics } from "../../support/recording.ts";

function watchOver(pool: { oldestEnteredAtMs: number | null; size: number }) {
  const clock = createSimulatedClock();
  const logger = createRecordingLogger();
  const metrics = createRecordingMetrics();
  const watch = createWaitingWatch(pool, clock, logger, createInstruments(metrics));
  const age = () => metrics.value(engineMetrics.mempoolOldest);
  return { clock, logger, watch, age };
}

it("measures the wait of the oldest transaction, 0 when none waits", async () => {
  const pool: { oldestEnteredAtMs: number | null; size: number } = {
    oldestEnteredAtMs: 0,
    size: 1,
  };
  const { clock, watch, age } = watchOver(pool);
  await clock.runUntil(1_500);
  watch.tick();
  expect([watch.oldestMs(), age()]).toEqual([1_500, 1.5]);
  pool.oldestEnteredAtMs = null;
  watch.tick();
  expect([watch.oldestMs(), age()]).toEqual([0, 0]);
});

it("says so at 30 s, not a millisecond before, and then once a minute", async () => {
  const { clock, logger, watch } = watchOver({ oldestEnteredAtMs: 0, size: 7 });
  await clock.runUntil(LONG_WAIT_MS - 1);
  watch.tick();
  expect(logger.entries).toEqual([]);
  await clock.runUntil(LONG_WAIT_MS);
  watch.tick();
  expect(logger.entries).toEqual([
    {
      level: "warn",
      message: "transactions wait for long",
      fields: { oldestSeconds: 30, waiting: 7 },
    },
  ]);
  await clock.runUntil(LONG_WAIT_MS + WAIT_LINE_INTERVAL_MS - 1);
  watch.tick();
  expect(logger.entries).toHaveLength(1);
  await clock.runUntil(LONG_WAIT_MS + WAIT_LINE_INTERVAL_MS);
  watch.tick();
  expect(logger.entries).toHaveLength(2);
});
