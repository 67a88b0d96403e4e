import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { networkPaths } from "@credlink/cli";
import type { AttackName } from "./attacks.ts";

const ADMISSION_TIMEOUT_MS = 90_000;

/** Which validator of which network a hostile process stands for, and what it does. */
export interface HostileOptions {
  /** The network's folder. */
  readonly dir: string;
  /** Its name: the process has the folder, certificate and keys of that node, which must be down. */
  readonly name: string;
  /** Addresses of its peers; none: those that its configuration names. */
  readonly peers?: readonly string[];
  readonly attacks: readonly AttackName[];
  /** Of each attack, to each peer, a second. */
  readonly rate: number;
  /** "dry" builds and signs everything and sends nothing. */
  readonly mode: "dry" | "send";
}

/** A hostile validator that runs. */
export interface HostileProcess {
  readonly pid: number;
  /** Waits until all of `others` admitted it; a flood that is cut at once was admitted too. */
  untilAdmitted(others: number): Promise<void>;
  /** Ends it at once and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts a hostile validator in place of a node. */
export function startHostile(options: HostileOptions): HostileProcess {
  const { dir, name, peers = [], attacks, rate, mode } = options;
  const paths = networkPaths(dir);
  const log = join(paths.node(name), `hostile-${performance.now().toFixed(0)}.log`);
  const file = openSync(log, "a", 0o600);
  const entry = join(import.meta.dirname, "hostile-node.ts");
  const args = [paths.config(name), peers.join(","), attacks.join(","), String(rate), mode];
  const child = spawn(process.execPath, ["--conditions=source", entry, ...args], {
    stdio: ["pipe", file, file],
  });
  child.stdin?.on("error", () => {});
  closeSync(file);
  return {
    pid: child.pid ?? 0,
    untilAdmitted: (others) => untilAdmitted(log, others, mode),
    kill: () => killProcess(child),
  };
}

async function killProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  await ended;
}

async function untilAdmitted(log: string, others: number, mode: string): Promise<void> {
  const endMs = performance.now() + ADMISSION_TIMEOUT_MS;
  while (performance.now() < endMs) {
    const text = readFileSync(log, "utf8");
    if (text.includes(`"msg":"sent","to":${others}`)) return;
    const joined = text.split('"message":"peer joined"').length - 1;
    if (mode === "send" && joined >= others) return;
    await delay(200);
  }
  throw new Error(
    `the hostile validator was not admitted: ${readFileSync(log, "utf8").slice(-2_000)}`,
  );
}
