import type { Command } from "commander";
import type { JoinOptions } from "../node-join.ts";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";

/** `node join`: a new node that finds its chain from one address, and runs. */
export function addJoin(node: Command, context: CommandContext): void {
  node
    .command("join")
    .description("make a node's folder, if there is none yet, bring it into the chain and run it")
    .requiredOption("--dir <dir>", "the node's folder; new or empty, or made by this command")
    .option("--genesis <file>", "genesis of the chain, the same bytes as everywhere")
    .option("--certificate <file>", "the node's certificate, issued by its organisation")
    .option("--authority <file>", "the organisation's CA, where genesis does not name it")
    .option("--key <file>", "the certificate's key, encrypted")
    .option("--password-file <file>", "file that holds the key file's password")
    .option("--bootstrap <multiaddr>", "one node of the chain: /ip4/…/tcp/…/p2p/…")
    .option("--host <address>", "address to listen on for other nodes (default: loopback)")
    .option("--rpc-host <address>", "address to listen on for clients (default: loopback)")
    .option("--rpc-port <port>", "port of the gateway (default: a free one)", wholeNumber)
    .option("--p2p-port <port>", "port for other nodes (default: a free one)", wholeNumber)
    .option("--wait <seconds>", "how long joining may take (default: 60)", wholeNumber)
    .option("--json", "print one JSON document once it has joined")
    .action((options: JoinOptions & { readonly json?: boolean }) =>
      context.run(options.json ?? false, async () => {
        const { joinChain } = await import("../node-join.ts");
        const running = await joinChain(options, context.stopSignal);
        const { height } = running.engine.status();
        const joined = { ...running.addresses, height, pid: process.pid };
        const text = `joined at height ${height}: ${running.addresses.rpc}`;
        context.streams.out(options.json === true ? `${JSON.stringify(joined)}\n` : `${text}\n`);
        await Promise.race([context.stopSignal, running.stopped]);
        await running.stop();
        return undefined;
      }),
    );
}
