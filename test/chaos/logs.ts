import type { Violation } from "./chain-record.ts";

/**
 * Errors that a fault accounts for: a full disk ends the node, and says so. Everything else at
 * level `error` means that an operator must act, and here nobody broke anything that needs that.
 */
const EXPECTED: ReadonlySet<string> = new Set([
  "NODE_STORE_FAILED",
  "NODE_STORAGE_FAILED",
  "NODE_VOTE_LOG_FAILED",
]);

/** What a node's log says that no node's log may say. */
export function judgeLogs(name: string, log: string): readonly Violation[] {
  const found = new Map<string, number>();
  for (const line of log.split("\n")) {
    if (!line.startsWith("{")) {
      // A crash that nobody caught prints text, not an entry.
      if (/^\s*(?:[A-Za-z]*Error|Uncaught|node:internal)/.test(line))
        count(found, line.slice(0, 200));
      continue;
    }
    const entry = parse(line);
    if (entry?.level !== "error") continue;
    const code = String(entry.code ?? "");
    if (!EXPECTED.has(code)) count(found, `${code} ${String(entry.message ?? "")}`.trim());
  }
  return [...found].map(([text, times]) => ({
    rule: "log",
    detail: `${name}, ${times} times: ${text}`,
  }));
}

function count(found: Map<string, number>, text: string): void {
  found.set(text, (found.get(text) ?? 0) + 1);
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "object" && entry !== null ? (entry as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
