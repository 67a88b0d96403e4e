import { contractListCodec, noArgsCodec } from "@credlink/contracts-vm";
import { BUILT_IN_VERSION, CONTRACTS_CONTRACT, SUCCESS } from "@credlink/ledger";
import { decode, encode } from "@credlink/primitives";
import type { Command } from "commander";
import { gather, withCoSigners } from "../co-signers.ts";
import { type ConnectionOptions, connect, withConnection } from "../connection.ts";
import { CliError } from "../errors.ts";
import { renderTable } from "../network/status.ts";
import type { CommandContext } from "./context.ts";
import { type CallContractOptions, callContract, queryContract } from "./contract-call.ts";
import {
  acceptPackage,
  approvePackage,
  installPackage,
  type PackageOptions,
  readCode,
  showVersions,
  turnContract,
  turnVersion,
} from "./contract-manage.ts";
import { addQuotaCommands } from "./contract-quota.ts";
import type { RunOptions } from "./contract-run.ts";
import { wholeNumber } from "./network.ts";

interface Json {
  readonly json?: boolean;
}

/** The compiler takes seconds to load: only the commands that need it do so. */
const develop = () => import("./contract-develop.ts");

/** `contract …`: writing contracts, and their life on chain. */
export function addContractCommands(program: Command, context: CommandContext): void {
  const contract = program.command("contract").description("contracts: sources, and life on chain");
  addDevelopCommands(contract, context);
  addPackageCommands(contract, context);
  addTurnCommands(contract, context);
  addCallCommands(contract, context);
  addQuotaCommands(contract, context);
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
    .command("test")
    .argument("[dir]", "the project's folder", ".")
    .option("--json", "print one JSON document")
    .description("run the project's tests in this process; exit code 4 where one fails")
    .action((dir: string, options: Json) =>
      context.run(options.json ?? false, async () =>
        (await import("./contract-run.ts")).testProject(dir, progress),
      ),
    );
  contract
    .command("run")
    .argument("<dir>", "the project's folder")
    .argument("<method>")
    .requiredOption("--as <member>", "ROLE/NAME of who calls")
    .option("--args <json>", "the arguments as a JSON list")
    .option("--co-sign <member>", "ROLE/NAME of who signs too; repeatable", gather, [])
    .option("--state <file>", 'rows of its state before: [{"key": hex, "value": hex}, …]')
    .option("--gas <limit>", "most gas that it may use", wholeNumber)
    .option("--step", "walk through the host calls by commands on stdin (see `help` there)")
    .option("--json", "print one JSON document; with --step one a line for each command")
    .description("run a method in this process: each host call, and gas by source line")
    .action((dir: string, method: string, options: RunOptions & Json & { step?: boolean }) =>
      context.run(options.json ?? false, async () => {
        const run = await import("./contract-run.ts");
        if (options.step !== true) return run.runMethod(dir, method, options, progress);
        return run.stepMethod(dir, method, options, context.streams);
      }),
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

/** `contract install | approve | accept-findings`: what organisations do with a package. */
function addPackageCommands(contract: Command, context: CommandContext): void {
  const progress = (text: string): void => context.streams.err(`${text}\n`);
  withConnection(contract.command("install").argument("<package>", "made by `contract package`"))
    .option(
      "--contract-version <version>",
      "the version to install; the package's must be the same",
    )
    .option("--json", "print one JSON document")
    .description("compile and scan a package, and put it on chain, approved by one's organisation")
    .action((path: string, options: PackageOptions & Json) =>
      context.run(options.json ?? false, () => installPackage(path, options, progress)),
    );
  withConnection(contract.command("approve").argument("<package>", "what was installed"))
    .option(
      "--with-findings",
      "put findings of high severity on record, which keeps it from starting",
    )
    .option("--json", "print one JSON document")
    .description("compile, scan and compare a package with what is installed, and approve it")
    .action(
      (path: string, options: ConnectionOptions & Json & { readonly withFindings?: boolean }) =>
        context.run(options.json ?? false, () => approvePackage(path, options, progress)),
    );
  withConnection(contract.command("accept-findings").argument("<package>", "with high findings"))
    .option("--json", "print one JSON document")
    .description("record on chain that one's organisation accepts a package's findings")
    .action((path: string, options: ConnectionOptions & Json) =>
      context.run(options.json ?? false, () => acceptPackage(path, options)),
    );
}

/** `contract start | upgrade | stop | freeze | unfreeze | versions | code`. */
function addTurnCommands(contract: Command, context: CommandContext): void {
  const turns = [
    ["start", "start a version that more than half of the organisations approved"],
    ["upgrade", "start an approved version in the place of the one that is started"],
    ["stop", "vote for the stop of a version; more than half of the organisations stop it"],
  ] as const;
  for (const [turn, description] of turns) {
    withConnection(contract.command(turn).argument("<name>").argument("<version>"))
      .option("--json", "print one JSON document")
      .description(description)
      .action((name: string, version: string, options: ConnectionOptions & Json) =>
        context.run(options.json ?? false, () => turnVersion(turn, name, version, options)),
      );
  }
  for (const turn of ["freeze", "unfreeze"] as const) {
    withConnection(contract.command(turn).argument("<name>"))
      .option("--json", "print one JSON document")
      .description(`${turn} a contract, as a regulator`)
      .action((name: string, options: ConnectionOptions & Json) =>
        context.run(options.json ?? false, () => turnContract(turn, name, options)),
      );
  }
  withConnection(contract.command("versions").argument("<name>"))
    .option("--json", "print one JSON document")
    .description("every version of a contract with its state and approvals, proven")
    .action((name: string, options: ConnectionOptions & Json) =>
      context.run(options.json ?? false, () => showVersions(name, options)),
    );
  withConnection(contract.command("code").argument("<name>").argument("<version>"))
    .option("--out <file>", "write the module there")
    .option("--json", "print one JSON document")
    .description("a version's module from the chain, held to its proven digest")
    .action((name: string, version: string, options: ConnectionOptions & Json & { out?: string }) =>
      context.run(options.json ?? false, () => readCode(name, version, options)),
    );
}

/** `contract call | query`. */
function addCallCommands(contract: Command, context: CommandContext): void {
  withCoSigners(withConnection(contract.command("call").argument("<name>").argument("<method>")))
    .option("--args <json>", 'the arguments as a JSON list, for example \'["a", {"u64": "5"}]\'')
    .option("--contract-version <version>", "the version to call (default: the started one)")
    .option("--gas <limit>", "most gas that it may use", wholeNumber)
    .option("--json", "print one JSON document")
    .description("call a method by a transaction, its receipt proven")
    .action((name: string, method: string, options: CallContractOptions & Json) =>
      context.run(options.json ?? false, () => callContract(name, method, options)),
    );
  withConnection(contract.command("query").argument("<name>").argument("<method>"))
    .option("--args <json>", "the arguments as a JSON list")
    .option("--contract-version <version>", "a started or superseded one (default: the started)")
    .option("--json", "print one JSON document")
    .description("ask a read-only method at the head (the node's word)")
    .action((name: string, method: string, options: CallContractOptions & Json) =>
      context.run(options.json ?? false, () => queryContract(name, method, options)),
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
