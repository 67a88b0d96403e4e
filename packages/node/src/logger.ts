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

/** A logger that can be asked to write out what it holds. */
export interface NodeLogger extends Logger {
  flush(): void;
}

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

function wrap(inner: pino.Logger): NodeLogger {
  const at =
    (level: LoggerOptions["level"]) =>
    (message: string, fields: LogFields = {}): void => {
      if (inner.isLevelEnabled(level)) inner[level](redactFields(fields), message);
    };
  return {
    error: at("error"),
    warn: at("warn"),
    info: at("info"),
    debug: at("debug"),
    child: (bindings) => wrap(inner.child(redactFields(bindings))),
    flush: () => inner.flush(),
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
      level: options.level,
      base: { ...options.bindings },
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return wrap(logger);
}

/** Writes out what a logger holds, when it is one of ours. */
export function flushLogger(logger: Logger): void {
  if ("flush" in logger && typeof logger.flush === "function") logger.flush();
}
