import { contractListCodec, noArgsCodec } from "@credlink/contracts-vm";
import { BUILT_IN_VERSION, CONTRACTS_CONTRACT, SUCCESS } from "@credlink/ledger";
import { decode, encode } from "@credlink/primitives";
import type { Command } from "commander";
import { type ConnectionOptions, connect, withConnection } from "../connection.ts";
import { CliError } from "../errors.ts";
import { renderTable } from "../network/status.ts";
import type { CommandContext } from "./context.ts";

interface Json {
  readonly json?: boolean;
}

/** The compiler takes seconds to load: only the commands that need it do so. */
const develop = () => import("./contract-develop.ts");

/** `contract …`: writing contracts, and their life on chain. */
export function addContractCommands(program: Command, context: CommandContext): void {
  const contract = program.command("contract").description("contracts: sources, and life on chain");
  addDevelopCommands(contract, context);
  withConnection(contract.command("list"))
    .description("installed contracts, their versions and which is started")
    .option("--json", "print one JSON document")
    .action((options: ConnectionOptions & Json) =>
      context.run(options.json ?? false, () => listContracts(options)),
    );
}

function addDevelopCommands(contract: Command, context: CommandContext): void {
  const progress = (text: string): void => context.streams.err(`${text}\n`);
  contract
    .command("new")
    .argument("<name>", "the contract's name on chain")
    .option("--dir <dir>", "a new or empty folder (default: the name)")
    .option("--policy <file>", "who may do what (YAML): the sources are written from it")
    .option("--json", "print one JSON document")
    .description("make a contract's project, with the SDK, a first test and editor support")
    .action((name: string, options: Json & { readonly dir?: string; readonly policy?: string }) =>
      context.run(options.json ?? false, async () => (await develop()).newProject(name, options)),
    );
  contract
    .command("build")
    .argument("[dir]", "the project's folder", ".")
    .option("--debug", "also write a source map")
    .option("--json", "print one JSON document")
    .description("compile a project and judge the module as a node does")
    .action((dir: string, options: Json & { readonly debug?: boolean }) =>
      context.run(options.json ?? false, async () =>
        (await develop()).buildProject(dir, options, progress),
      ),
    );
  contract
    .command("scan")
    .argument("[path]", "a project's folder, a package, or a module (.wasm)", ".")
    .option("--manifest <file>", "the manifest of a module: its .manifest, or a contract.json")
    .option("--sarif <file>", "also write the report as SARIF 2.1.0")
    .option("--list-rules", "print the rules instead")
    .option("--json", "print one JSON document")
    .description("judge a contract by the security rules; exit code 4 with high findings")
    .action(
      (
        path: string,
        options: Json & {
          readonly manifest?: string;
          readonly sarif?: string;
          readonly listRules?: boolean;
        },
      ) =>
        context.run(options.json ?? false, async () =>
          (await develop()).scanPath(path, options, progress),
        ),
    );
  contract
    .command("package")
    .argument("[dir]", "the project's folder", ".")
    .option("--out <file>", "where to (default: build/NAME-VERSION.clpkg in the folder)")
    .option("--with-findings", "also with findings of high severity, for governance to decide")
    .option("--json", "print one JSON document")
    .description("build, scan, and put module, manifest and sources into one file")
    .action(
      (dir: string, options: Json & { readonly out?: string; readonly withFindings?: boolean }) =>
        context.run(options.json ?? false, async () =>
          (await develop()).packageProject(dir, options, progress),
        ),
    );
}

async function listContracts(options: ConnectionOptions) {
  const client = await connect(options);
  const answer = await client.queryContract({
    contract: CONTRACTS_CONTRACT,
    version: BUILT_IN_VERSION,
    method: "list",
    args: encode(noArgsCodec, {}),
  });
  if (answer.status !== SUCCESS) throw new CliError("CLI_NOT_FOUND", `contracts: ${answer.status}`);
  const contracts = decode(contractListCodec, answer.returnValue);
  const rows = contracts.map((each) => [each.name, each.started ?? "-", each.versions.join(" ")]);
  return {
    value: { height: answer.height, contracts },
    text: renderTable(["contract", "started", "versions"], rows),
  };
}
