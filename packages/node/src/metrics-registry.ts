import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Clock, invariant, type MetricDefinition, type Metrics } from "@credlink/primitives";
import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  prometheusContentType,
  Registry,
} from "prom-client";
import { nodeMetrics } from "./metrics.ts";

/** Metrics of one node, to be scraped. */
export interface MetricsRegistry extends Metrics {
  readonly contentType: string;
  /** The Prometheus text format. */
  scrape(): Promise<string>;
  close(): void;
}

const NANOSECONDS = 1e9;

/** Labels of a definition that were declared: others would be a mistake of the caller's. */
function namesOf(definition: MetricDefinition): string[] {
  return [...(definition.labels ?? [])];
}

function checkDeclared(definition: MetricDefinition, labels: object): void {
  for (const label of Object.keys(labels)) {
    invariant(definition.labels?.includes(label), `${definition.name} declares no label ${label}`);
  }
}

/** Adds what is measured at the moment of a scrape. */
function observeProcess(registry: Registry, clock: Clock): () => void {
  collectDefaultMetrics({ register: registry, prefix: "credlink_" });
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const startMs = clock.monotonicMs();
  const { uptime, eventLoopLag } = nodeMetrics;
  new Gauge({
    name: uptime.name,
    help: uptime.help,
    registers: [registry],
    collect() {
      this.set((clock.monotonicMs() - startMs) / 1_000);
    },
  });
  new Gauge({
    name: eventLoopLag.name,
    help: eventLoopLag.help,
    labelNames: ["quantile"],
    registers: [registry],
    collect() {
      this.set({ quantile: "p50" }, delay.percentile(50) / NANOSECONDS);
      this.set({ quantile: "p99" }, delay.percentile(99) / NANOSECONDS);
      this.set({ quantile: "max" }, delay.max / NANOSECONDS);
      delay.reset();
    },
  });
  return () => delay.disable();
}

/** Prometheus metrics behind the Metrics interface; asking twice for a metric gives the same. */
export function createMetricsRegistry(clock: Clock): MetricsRegistry {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const settings = (definition: MetricDefinition) => ({
    name: definition.name,
    help: definition.help,
    labelNames: namesOf(definition),
    registers: [registry],
  });
  const declared = new Map<string, MetricDefinition>();
  const once = <T>(known: Map<string, T>, definition: MetricDefinition, create: () => T): T => {
    const first = declared.get(definition.name) ?? definition;
    declared.set(definition.name, first);
    invariant(first === definition, `${definition.name} is declared twice`);
    const made = known.get(definition.name) ?? create();
    known.set(definition.name, made);
    return made;
  };
  const close = observeProcess(registry, clock);
  return {
    contentType: prometheusContentType,
    scrape: () => registry.metrics(),
    close,
    counter(definition) {
      const counter = once(counters, definition, () => {
        const made = new Counter(settings(definition));
        // A counter without labels exists from the start, so that its first rise is seen.
        if (namesOf(definition).length === 0) made.inc(0);
        return made;
      });
      return {
        add(amount = 1, labels = {}) {
          checkDeclared(definition, labels);
          counter.inc({ ...labels }, amount);
        },
      };
    },
    gauge(definition) {
      const gauge = once(gauges, definition, () => new Gauge(settings(definition)));
      return {
        set(value, labels = {}) {
          checkDeclared(definition, labels);
          gauge.set({ ...labels }, value);
        },
      };
    },
    histogram(definition) {
      const buckets = definition.buckets === undefined ? {} : { buckets: [...definition.buckets] };
      const histogram = once(
        histograms,
        definition,
        () => new Histogram({ ...settings(definition), ...buckets }),
      );
      return {
        observe(value, labels = {}) {
          checkDeclared(definition, labels);
          histogram.observe({ ...labels }, value);
        },
      };
    },
  };
}
