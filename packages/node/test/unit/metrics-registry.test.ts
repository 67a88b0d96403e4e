import { InvariantError, type MetricDefinition } from "@credlink/primitives";
import { afterEach, expect, test } from "vitest";
import { createMetricsRegistry } from "../../src/metrics-registry.ts";
import { systemClock } from "../../src/system-clock.ts";

const registries: ReturnType<typeof createMetricsRegistry>[] = [];
const open = () => {
  const registry = createMetricsRegistry(systemClock);
  registries.push(registry);
  return registry;
};
afterEach(() => {
  for (const registry of registries.splice(0)) registry.close();
});

const counter: MetricDefinition = {
  name: "credlink_node_tests_total",
  kind: "counter",
  help: "Tests.",
  labels: ["outcome"],
};

test("counters, gauges and histograms reach the page", async () => {
  const registry = open();
  registry.counter(counter).add(2, { outcome: "good" });
  registry.counter(counter).add(1, { outcome: "good" });
  registry.counter({ ...counter, name: "credlink_node_plain_total", labels: [] });
  registry.gauge({ name: "credlink_node_level", kind: "gauge", help: "Level." }).set(4.5);
  registry
    .histogram({ name: "credlink_node_wait_seconds", kind: "histogram", help: "W.", buckets: [1] })
    .observe(0.5);
  const page = await registry.scrape();
  expect(page).toContain('credlink_node_tests_total{outcome="good"} 3');
  expect(page).toContain("credlink_node_plain_total 0");
  expect(page).toContain("credlink_node_level 4.5");
  expect(page).toContain('credlink_node_wait_seconds_bucket{le="1"} 1');
  expect(page).toMatch(/credlink_node_uptime_seconds \d/);
  expect(page).toMatch(/credlink_node_event_loop_lag_seconds\{quantile="p99"\} \d/);
  expect(page).toContain("credlink_process_resident_memory_bytes");
});

test("two registries do not share values", async () => {
  const [first, second] = [open(), open()];
  first.counter(counter).add(1, { outcome: "good" });
  expect(await second.scrape()).not.toContain("credlink_node_tests_total{");
});

test("a label or a second declaration that nobody made is a bug", () => {
  const registry = open();
  expect(() => registry.counter(counter).add(1, { colour: "red" })).toThrow(InvariantError);
  expect(() => registry.counter({ ...counter })).toThrow(InvariantError);
});
