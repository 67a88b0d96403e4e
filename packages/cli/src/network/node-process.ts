import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CliError } from "../errors.ts";
import { type NetworkNode, networkPaths } from "./layout.ts";

/** The command's own entry, run as it is in development and compiled after a build. */
function entryPath(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`../main.${extension}`, import.meta.url));
}

/**
 * Arguments of `node` that run the `credlink` command. Workspace packages resolve to their sources
 * in a child exactly when they do here.
 */
export function commandLine(args: readonly string[]): readonly string[] {
  const isSource = import.meta.url.endsWith(".ts");
  return [...(isSource ? ["--conditions=source"] : []), entryPath(), ...args];
}

/** One node as a process of its own. */
export interface NodeProcess {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Null while it runs. */
  exit(): { readonly code: number | null; readonly signal: string | null } | null;
  /** Asks it to stop (SIGTERM), ends it at once (SIGKILL), halts it or lets it go on. */
  kill(signal: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
}

/** What differs from how a node of a network is started otherwise. */
export interface NodeProcessOptions {
  /** Settings over those of its file: `--engine.overlap=false`. */
  readonly settings?: readonly string[];
  /** Arguments of Node itself, before the command. */
  readonly nodeArguments?: readonly string[];
  /** Variables over those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Starts one node of a network's folder. Its log goes to the node's own file. It holds the read
 * end of a pipe from us and stops when that ends, so that it never outlives us, whatever ends us.
 */
export function startNodeProcess(
  dir: string,
  name: string,
  options: NodeProcessOptions = {},
): NodeProcess {
  const paths = networkPaths(dir);
  const log = paths.log(name);
  const file = openSync(log, "a", 0o600);
  let child: ChildProcess;
  try {
    const { settings = [], nodeArguments = [], environment = {} } = options;
    const args = ["node", "start", "--config", paths.config(name), "--with-parent"];
    const command = commandLine([...args, ...(settings.length > 0 ? ["--", ...settings] : [])]);
    child = spawn(process.execPath, [...nodeArguments, ...command], {
      stdio: ["pipe", file, file],
      env: { ...process.env, ...environment },
    });
  } finally {
    closeSync(file);
  }
  let exit: { code: number | null; signal: string | null } | null = null;
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("error", () => {
      exit ??= { code: null, signal: null };
      resolve(exit);
    });
    child.once("exit", (code, signal) => {
      exit = { code, signal };
      resolve(exit);
    });
  });
  // Writing to a child that is gone is no fault of ours.
  child.stdin?.on("error", () => {});
  return {
    name,
    pid: child.pid ?? 0,
    log,
    ended,
    exit: () => exit,
    kill: (signal) => {
      child.kill(signal);
    },
  };
}

/** Where a node's gateway says whether it is ready. */
export function readinessUrl(node: NetworkNode): string {
  return `http://${node.host}:${node.rpcPort}/readyz`;
}

/**
 * Waits until the node's gateway says that it is ready.
 * @throws CliError CLI_NODE_NOT_READY when it ends before, or after `timeoutMs`.
 */
export async function waitUntilReady(
  node: NetworkNode,
  child: NodeProcess,
  timeoutMs: number,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    if (await isReady(node)) return;
    const exit = child.exit();
    if (exit !== null) {
      const how = exit.signal ?? `exit code ${exit.code}`;
      throw new CliError(
        "CLI_NODE_NOT_READY",
        `${node.name} ended (${how}): ${lastLine(child.log)} [log: ${child.log}]`,
      );
    }
    if (performance.now() > endMs) {
      const message = `${node.name} after ${timeoutMs} ms: ${lastLine(child.log)} [log: ${child.log}]`;
      throw new CliError("CLI_NODE_NOT_READY", message);
    }
    await delay(50);
  }
}

async function isReady(node: NetworkNode): Promise<boolean> {
  try {
    const response = await fetch(readinessUrl(node), { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function lastLine(path: string): string {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n").at(-1)?.slice(0, 400) ?? "";
  } catch {
    return "";
  }
}
