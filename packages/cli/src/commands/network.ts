import { type Command, InvalidArgumentError } from "commander";
import { networkPaths } from "../network/layout.ts";
import { planNetwork } from "../network/plan.ts";
import { networkStatus, renderStatus } from "../network/status.ts";
import { startNetwork, stopNetwork } from "../network/supervise.ts";
import type { CommandContext } from "./context.ts";

/** A whole number from 0. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("not a whole number");
  return Number(text);
}

/** `network create | start | status | stop`. */
export function addNetworkCommands(program: Command, context: CommandContext): void {
  const network = program.command("network").description("networks of nodes on this machine");
  addCreate(network, context);
  addStart(network, context);
  network
    .command("status")
    .description("height, digest, state root, view and peers of each node")
    .requiredOption("--dir <dir>", "the network's folder")
    .option("--json", "print one JSON document")
    .action((options: { dir: string; json?: boolean }) =>
      context.run(options.json ?? false, async () => {
        const status = await networkStatus(options.dir);
        return { value: status, text: renderStatus(status) };
      }),
    );
  network
    .command("stop")
    .description("stop a network that another process started")
    .requiredOption("--dir <dir>", "the network's folder")
    .option("--json", "print one JSON document")
    .action((options: { dir: string; json?: boolean }) =>
      context.run(options.json ?? false, async () => {
        await stopNetwork(options.dir);
        return { value: { stopped: true }, text: "stopped" };
      }),
    );
}

interface CreateOptions {
  readonly dir: string;
  readonly validators: number;
  readonly observers: number;
  readonly standbys: number;
  readonly allowNonByzantine?: boolean;
  readonly consensus: string;
  readonly transport: string;
  readonly chainId?: string;
  readonly basePort?: number;
  readonly containers?: boolean;
  readonly json?: boolean;
}

function addCreate(network: Command, context: CommandContext): void {
  network
    .command("create")
    .description("make a consortium: authorities, keys, certificates, genesis, configurations")
    .requiredOption("--dir <dir>", "a new or empty folder")
    .requiredOption("--validators <n>", "1 (development only) or 4 to 100", wholeNumber)
    .option("--observers <n>", "nodes that follow without a vote", wholeNumber, 0)
    .option("--standbys <n>", "enrolled validators that are not in the list yet", wholeNumber, 0)
    .option("--allow-non-byzantine", "permit fewer than four validators later (no fault tolerated)")
    .option("--consensus <mode>", "pbft, or solo: one validator, development only", "pbft")
    .option("--transport <suite>", "noise, or gm: SM2, SM4-GCM and SM3 between nodes", "noise")
    .option("--chain-id <id>", "name of the chain (default: credlink-dev)")
    .option("--base-port <port>", "first of two ports a node (default: free ones)", wholeNumber)
    .option("--containers", "one container per node: found by name, ports 8645 and 9645 each")
    .option("--json", "print one JSON document")
    .action((options: CreateOptions) =>
      context.run(options.json ?? false, async () => {
        const plan = planNetwork(options);
        const { createNetwork } = await import("../network/create.ts");
        const made = await createNetwork(options.dir, plan, {
          onProgress: (step) => context.streams.err(`${step}\n`),
        });
        const { root } = networkPaths(options.dir);
        const text = [
          `network ${made.chainId} in ${root}`,
          `genesis ${made.genesisDigest}`,
          ...made.nodes.map((node) => `  ${node.name}  ${node.role}  ${node.organization}`),
          `start it: credlink network start --dir ${options.dir}`,
        ].join("\n");
        return { value: { dir: root, ...made }, text };
      }),
    );
}

function addStart(network: Command, context: CommandContext): void {
  network
    .command("start")
    .description("run every node until stopped; prints their addresses once all are ready")
    .requiredOption("--dir <dir>", "the network's folder")
    .option("--json", "print one JSON document")
    .action((options: { dir: string; json?: boolean }) =>
      context.run(options.json ?? false, async () => {
        const json = options.json ?? false;
        const running = await startNetwork(options.dir, {
          onNodeEnd: (name, how) => context.streams.err(`${name} ended: ${how}\n`),
        });
        const ready = {
          dir: networkPaths(options.dir).root,
          chainId: running.network.chainId,
          genesisDigest: running.network.genesisDigest,
          supervisor: process.pid,
          nodes: running.nodes,
        };
        const lines = running.nodes.map((node) => `${node.name}  ${node.rpc}  pid ${node.pid}`);
        context.streams.out(json ? `${JSON.stringify(ready)}\n` : `${lines.join("\n")}\n`);
        await Promise.race([context.stopSignal, running.ended]);
        await running.stop();
        return undefined;
      }),
    );
}
