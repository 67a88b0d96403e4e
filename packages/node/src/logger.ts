import type { LogFields, Logger } from "@credlink/primitives";
import { toHex } from "@credlink/primitives";
import pino from "pino";

/** Where log lines go, and from which level on. */
export interface LoggerOptions {
  readonly level: "error" | "warn" | "info" | "debug";
  /** Null: standard output. */
  readonly file: string | null;
  /** Fields of every line. */
  readonly bindings?: LogFields;
}

/** Least level of lines that are written. */
export type LogLevel = LoggerOptions["level"];

/** A logger that can be asked to write out what it holds, and to write more or less. */
export interface NodeLogger extends Logger {
  flush(): void;
  /** Holds at once for this logger and all made of it by `child`, and whoever made it. */
  setLevel(level: LogLevel): void;
}

const severity: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** Names of fields that must never reach a log, at whatever depth they stand. */
const SECRET = /^(?:password|privateKey|secret|token|authorization|payload|seed)$/i;
/** Longest text of one field; a peer may have chosen it. */
const MAX_TEXT = 2_000;
const MAX_DEPTH = 4;

function redact(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value;
  if (value instanceof Uint8Array) {
    // Digests and addresses are 32 bytes; anything longer could be a payload.
    return value.length <= 32 ? toHex(value) : `${value.length} bytes`;
  }
  if (value instanceof Error) return describeError(value, depth);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "…";
  if (Array.isArray(value)) return value.slice(0, 100).map((each) => redact(each, depth + 1));
  return redactFields(value as LogFields, depth + 1);
}

function describeError(error: Error, depth: number): object {
  const code = "code" in error ? { code: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) };
  return { name: error.name, message: error.message, ...code, stack: error.stack, ...cause };
}

function redactFields(fields: LogFields, depth = 0): LogFields {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    safe[name] = SECRET.test(name) ? "[redacted]" : redact(value, depth);
  }
  return safe;
}

function wrap(inner: pino.Logger, least: { level: LogLevel }): NodeLogger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (severity[level] <= severity[least.level]) inner[level](redactFields(fields), message);
    };
  return {
    error: at("error"),
    warn: at("warn"),
    info: at("info"),
    debug: at("debug"),
    child: (bindings) => wrap(inner.child(redactFields(bindings)), least),
    flush: () => inner.flush(),
    setLevel(level) {
      least.level = level;
    },
  };
}

/** JSON lines: `level`, `time` (ISO 8601), `message` and the fields, secrets taken out. */
export function createLogger(options: LoggerOptions): NodeLogger {
  const { file } = options;
  const destination = pino.destination(
    file === null ? { dest: 1, sync: true } : { dest: file, mkdir: true, sync: true },
  );
  const logger = pino(
    {
      // One level holds for all children and may change: it is judged above.
      level: "debug",
      base: { ...options.bindings },
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return wrap(logger, { level: options.level });
}

/** Writes out what a logger holds, when it is one of ours. */
export function flushLogger(logger: Logger): void {
  if ("flush" in logger && typeof logger.flush === "function") logger.flush();
}

/** Changes the least level of a logger, when it is one of ours. */
export function setLogLevel(logger: Logger, level: LogLevel): void {
  if ("setLevel" in logger && typeof logger.setLevel === "function") logger.setLevel(level);
}
