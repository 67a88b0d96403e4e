import type { LogFields, Logger, MetricDefinition, Metrics } from "@credlink/primitives";

export interface LogEntry {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that keeps what it was told. */
export function createRecordingLogger(): Logger & { readonly entries: LogEntry[] } {
  const entries: LogEntry[] = [];
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      entries.push({ level, message, fields });
    };
  const logger = {
    entries,
    error: at("error"),
    warn: at("warn"),
    info: at("info"),
    debug: at("debug"),
    child: () => logger,
  };
  return logger;
}

/** Metrics that can be read back by name and labels. */
export function createRecordingMetrics(): Metrics & {
  value(definition: MetricDefinition, labels?: Readonly<Record<string, string>>): number;
} {
  const values = new Map<string, number>();
  const key = (definition: MetricDefinition, labels: Readonly<Record<string, string>>) =>
    `${definition.name}${JSON.stringify(Object.entries(labels).sort())}`;
  const add = (definition: MetricDefinition, amount: number, labels = {}) => {
    const place = key(definition, labels);
    values.set(place, (values.get(place) ?? 0) + amount);
  };
  return {
    counter: (definition) => ({ add: (amount = 1, labels) => add(definition, amount, labels) }),
    gauge: (definition) => ({
      set: (value, labels = {}) => void values.set(key(definition, labels), value),
    }),
    histogram: (definition) => ({ observe: (_value, labels) => add(definition, 1, labels) }),
    value: (definition, labels = {}) => values.get(key(definition, labels)) ?? 0,
  };
}
