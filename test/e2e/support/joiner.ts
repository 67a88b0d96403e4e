import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createMember, type Issued, loadAuthority, loadNetwork } from "@credlink/cli";
import { Json, spawnCredlink } from "./command.ts";
import type { TestNetwork } from "./network.ts";
import { eventually } from "./wait.ts";

export type NodeRole = "validator" | "observer" | "regulator-node";

/** A process of `node join`, and what it prints. */
export interface Joiner {
  readonly child: ChildProcess;
  /** The one document that `--json` prints: where it is reached, or the error it ended with. */
  readonly document: () => Promise<Json>;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

/** Runs `credlink node join … --json`. */
export function joinNode(...args: readonly string[]): Joiner {
  const child = spawnCredlink(["node", "join", ...args, "--json"]);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  const find = () => {
    if (stdout.includes("\n")) return new Json(JSON.parse(stdout));
    if (child.exitCode !== null) throw new Error(`no document: ${stderr}`);
    return undefined;
  };
  const document = () => eventually("node join says how it went", find, 70_000);
  return { child, document, ended };
}

/** Ends a joined node as an operator does, and waits until it is gone. */
export async function endJoiner({ child, ended }: Joiner): Promise<void> {
  child.kill("SIGTERM");
  await ended;
}

/** A key and a certificate for a node, by the CA of one of the network's organisations. */
export async function issueNode(
  network: TestNetwork,
  name: string,
  {
    role = "observer",
    nowMs = Date.now(),
  }: { readonly role?: NodeRole; readonly nowMs?: number } = {},
): Promise<Issued> {
  const organization = "org-1";
  const entry = loadNetwork(network.dir).organizations.find((each) => each.name === organization);
  if (entry === undefined) throw new Error(`no organisation ${organization}`);
  const authority = await loadAuthority(network.dir, entry);
  const request = { organization, role, name, days: 1, nowMs };
  return createMember(join(network.folder.path, "issued"), name, authority, request);
}

/** The options by which a node with such a certificate joins a network by one of its nodes. */
export function joinOptions(
  network: TestNetwork,
  dir: string,
  files: Issued["files"],
  bootstrap: string,
): readonly string[] {
  return [
    ...["--dir", dir, "--genesis", join(network.dir, "genesis.bin"), "--bootstrap", bootstrap],
    ...["--certificate", files.certificate, "--key", files.key],
    ...["--password-file", files.passwordFile],
  ];
}
