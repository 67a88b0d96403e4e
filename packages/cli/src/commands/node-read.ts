import type { MethodResult } from "@credlink/api";
import { type Client, readAuditEntries } from "@credlink/client";
import { formatAddress } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import { type Command, InvalidArgumentError } from "commander";
import { connect } from "../connection.ts";
import { CliError } from "../errors.ts";
import { renderTable } from "../network/status.ts";
import type { Answer } from "../output.ts";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";
import { type ControlOptions, withNode } from "./node-control.ts";
import { renderFields } from "./read.ts";

/** How long one call of `node events --follow` waits at the node, milliseconds. */
const FOLLOW_MS = 20_000;
const MIB = 1024 * 1024;

/** `node status | info | events | audit`: what a node tells its operators. */
export function addReadingCommands(node: Command, context: CommandContext): void {
  withNode(node.command("status"))
    .description("how a node fares: chain, machine, peers, certificate")
    .option("--peers", "each peer's round trip, traffic and disconnections")
    .action((options: ControlOptions & { readonly peers?: boolean }) =>
      context.run(options.json ?? false, async () =>
        nodeStatus(await connect(options), options.peers ?? false),
      ),
    );
  withNode(node.command("info"))
    .description("what a node is: software, machine, addresses, certificate, role")
    .action((options: ControlOptions) =>
      context.run(options.json ?? false, async () => {
        const client = await connect(options);
        const value = await client.call("node.info", {});
        return { value, text: renderFields(value) };
      }),
    );
  addEvents(node, context);
  addAudit(node, context);
}

async function nodeStatus(client: Client, withPeers: boolean): Promise<Answer> {
  const [status, resources, matrix] = await Promise.all([
    client.status(),
    client.call("node.resources", {}),
    client.call("node.peers", {}),
  ]);
  const { peers, validators } = matrix;
  const value = { ...status, resources, validators, matrix: peers };
  if (withPeers) return { value, text: renderPeers(matrix) };
  const { memory, disk, openFiles } = resources;
  const lines = {
    node: `${status.nodeId} (${status.role}), ${status.mode}`,
    peerId: status.peerId,
    version: status.version,
    height: status.height,
    head: status.headDigest,
    view: `${status.view}, ${status.phase}, primary ${status.primary ?? "none"}`,
    syncing: status.syncing,
    abstaining: status.abstaining,
    keyShared: status.keyShared,
    mempool: `${status.mempool.transactions} transactions, ${status.mempool.bytes} bytes`,
    validators: reachText(validators),
    peers: peers.filter(({ connected }) => connected).length,
    clockOffsetMs: status.clockOffsetMs,
    processors: `${resources.processorUse} of ${resources.processors} in use`,
    memory: `${mib(memory.residentBytes)} of ${mib(memory.totalBytes)}, ${mib(memory.freeBytes)} free`,
    disk: `${mib(disk.freeBytes)} of ${mib(disk.totalBytes)} free`,
    openFiles: `${openFiles.open ?? "?"} of ${openFiles.limit ?? "?"}`,
    certificateEnds: new Date(status.certificateEndsAtMs).toISOString(),
    uptimeSeconds: Math.round(status.uptimeMs / 1_000),
  };
  return { value, text: renderFields(lines) };
}

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}

function reachText(reach: MethodResult<"node.peers">["validators"]): string {
  const missing = reach.missing.length === 0 ? "" : `, missing ${reach.missing.join(", ")}`;
  const cut = reach.partitioned ? "; PARTITIONED: no quorum is in reach" : "";
  return `${reach.reachable} of ${reach.total} in reach, quorum ${reach.quorum}${missing}${cut}`;
}

function renderPeers({ peers, validators }: MethodResult<"node.peers">): string {
  const rows = peers.map((peer) => [
    peer.nodeId,
    peer.role,
    peer.connected ? (peer.provisional ? "provisional" : "connected") : "gone",
    peer.smoothedRttMs === null ? "-" : peer.smoothedRttMs.toFixed(2),
    String(peer.receivedBytes),
    String(peer.sentBytes),
    peer.disconnects.map(({ reason, count }) => `${reason} ${count}`).join(", ") || "-",
  ]);
  const head = ["peer", "role", "", "rtt ms", "bytes in", "bytes out", "left"];
  return `${renderTable(head, rows)}\nvalidators: ${reachText(validators)}`;
}

interface EventOptions extends ControlOptions {
  readonly after?: number;
  readonly follow?: boolean;
}

function addEvents(node: Command, context: CommandContext): void {
  withNode(node.command("events"))
    .description("who joined and left, with the reason, and changes of mode")
    .option("--after <sequence>", "only what came after this event", wholeNumber, 0)
    .option("--follow", "go on until stopped, one line an event; with --json one document each")
    .action((options: EventOptions) =>
      context.run(options.json ?? false, async () => {
        const client = await connect(options);
        const { after = 0, follow = false } = options;
        if (!follow) {
          const value = await client.call("node.events", { after });
          const rows = value.events.map(eventRow);
          return { value, text: renderTable(["event", "time", "type", "node", "reason"], rows) };
        }
        await followEvents(client, after, context, options.json ?? false);
        return undefined;
      }),
    );
}

type NodeEvent = MethodResult<"node.events">["events"][number];

function eventRow(event: NodeEvent): readonly string[] {
  const { sequence, timeMs, type, nodeId, reason } = event;
  return [String(sequence), new Date(timeMs).toISOString(), type, nodeId ?? "-", reason ?? ""];
}

async function followEvents(
  client: Client,
  from: number,
  context: CommandContext,
  json: boolean,
): Promise<void> {
  const end = new AbortController();
  void context.stopSignal.then(() => end.abort());
  for (let after = from; !end.signal.aborted; ) {
    const { signal } = end;
    const call = { signal, extraTimeoutMs: FOLLOW_MS };
    try {
      const page = await client.call("node.events", { after, waitMs: FOLLOW_MS }, call);
      for (const event of page.events) {
        const line = json ? JSON.stringify(event) : eventRow(event).join("  ");
        context.streams.out(`${line}\n`);
      }
      after = page.next;
    } catch (error) {
      if (!end.signal.aborted) throw error;
    }
  }
}

interface AuditOptions extends ControlOptions {
  readonly from?: number;
  readonly limit?: number;
  readonly dir?: string;
}

function pageSize(text: string): number {
  const value = wholeNumber(text);
  if (value < 1 || value > 256) throw new InvalidArgumentError("1 to 256");
  return value;
}

function addAudit(node: Command, context: CommandContext): void {
  withNode(node.command("audit"))
    .description("who was to change a node and what came of it; each entry held to its digest")
    .option("--from <sequence>", "first entry", wholeNumber, 0)
    .option("--limit <n>", "most entries, 1 to 256", pageSize, 64)
    .option("--dir <dir>", "check the files in a node's folder instead, whole")
    .action((options: AuditOptions) =>
      context.run(options.json ?? false, async () => {
        if (options.dir !== undefined) return checkAudit(options.dir);
        const client = await connect(options);
        const { from = 0, limit = 64 } = options;
        const page = await client.call("node.audit", { from, limit });
        const entries = readAuditEntries(page.entries).map((entry) => ({
          sequence: entry.sequence,
          time: new Date(entry.timeMs).toISOString(),
          type: entry.type,
          of: entry.of,
          member: entry.member === null ? null : formatAddress(entry.member),
          code: entry.code,
          detail: entry.detail,
          action: entry.asked?.action ?? null,
          key: entry.asked?.key ?? null,
          value: entry.asked?.value ?? null,
          nonce: entry.asked === null ? null : toHex(entry.asked.nonce),
          suppressed: entry.suppressed,
          hash: entry.hash,
        }));
        const rows = entries.map((each) => [
          ...[String(each.sequence), each.time, each.type, each.member ?? "-"],
          ...[each.code, each.detail],
        ]);
        const head = ["entry", "time", "type", "member", "code", "what"];
        const value = { entries, next: page.next, head: page.head };
        return { value, text: renderTable(head, rows) };
      }),
    );
}

async function checkAudit(dir: string): Promise<Answer> {
  const { checkNodeAudit } = await import("@credlink/node");
  const value = await checkNodeAudit(dir);
  const [fault] = value.faults;
  if (fault !== undefined) throw new CliError("CLI_AUDIT_ALTERED", value.faults.join("; "));
  return { value, text: `${value.entries} entries in ${value.files} files, whole` };
}
