import {
  ClientError,
  checkReceiptContent,
  type KeptReceipt,
  MAX_RECEIPT_LINE_BYTES,
  readGenesis,
  readReceiptLine,
  receivedContentDigest,
  signReceived,
  verifyReceipt,
  writeReceiptLine,
} from "@credlink/client";
import { parseAddress, parseCertificateBundle, type RevocationList } from "@credlink/crypto";
import { digest, fromHex } from "@credlink/primitives";
import type { Command } from "commander";
import { gather } from "../co-signers.ts";
import { loadIdentity, loadNetworkIdentity, readFileOf, readTextOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import { readRevocationList, writeNewFile } from "../key-input.ts";
import { readLines } from "../line-file.ts";
import { loadNetwork, networkPaths } from "../network/layout.ts";
import { contentOf, describeReceipt, renderReceipt } from "../receipt-view.ts";
import type { CommandContext } from "./context.ts";

interface ChainOptions {
  readonly genesis?: string;
  readonly network?: string;
  readonly json?: boolean;
}

interface VerifyOptions extends ChainOptions {
  readonly in?: string;
  readonly revocationList: readonly string[];
}

interface SignOptions extends ChainOptions {
  readonly in: string;
  readonly out: string;
  readonly from: string;
  readonly transaction?: string;
  readonly as?: string;
  readonly key?: string;
  readonly passwordFile?: string;
  readonly certificate?: string;
}

/** `receipt verify | sign`. */
export function addReceiptCommands(program: Command, context: CommandContext): void {
  const receipt = program
    .command("receipt")
    .description("signed receipts: what a node took and did, what a recipient got");
  withChain(receipt.command("verify").argument("<file>", "what --receipt or `receipt sign` wrote"))
    .description("verify every receipt of a file with the genesis alone: no node is asked")
    .option("--in <file>", "what it is of, where the file does not hold that")
    .option(
      "--revocation-list <file>",
      "list that signers must not stand in; repeatable",
      gather,
      [],
    )
    .action((file: string, options: VerifyOptions) =>
      context.run(options.json ?? false, () => verify(file, options)),
    );
  withChain(receipt.command("sign"))
    .description("sign that something arrived, for who sent it")
    .requiredOption("--in <file>", "what arrived")
    .requiredOption("--from <address>", "who sent it")
    .requiredOption("--out <file>", "new file for the receipt")
    .option("--transaction <id>", "the transaction that it belongs to")
    .option("--as <member>", "the recipient: ORG/MEMBER of the network's folder")
    .option("--key <file>", "key file of the recipient, without --as")
    .option("--password-file <file>", "file that holds the key file's password")
    .option("--certificate <file>", "the recipient's certificate, and CAs above it")
    .action((options: SignOptions) => context.run(options.json ?? false, () => sign(options)));
}

function withChain(command: Command): Command {
  return command
    .option("--genesis <file>", "trusted genesis of its chain")
    .option("--network <dir>", "folder of a network, for its genesis")
    .option("--json", "print one JSON document");
}

/** @throws CliError CLI_OPTIONS_CONFLICT, CLI_FILE_UNREADABLE */
function readTrusted({ genesis, network }: ChainOptions): Uint8Array {
  if ((genesis === undefined) === (network === undefined)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "either --genesis or --network");
  }
  return readFileOf(genesis ?? networkPaths(network ?? "").genesis);
}

async function verify(file: string, options: VerifyOptions) {
  const genesis = readTrusted(options);
  const lists = options.revocationList.map(readRevocationList);
  const given = options.in === undefined ? undefined : readFileOf(options.in);
  const receipts: ReturnType<typeof describeReceipt>[] = [];
  for await (const line of readLines(file, MAX_RECEIPT_LINE_BYTES)) {
    receipts.push(verifyLine(line, receipts.length + 1, { genesis, lists, given }));
  }
  if (receipts.length === 0) throw new CliError("CLI_DOCUMENT_UNKNOWN", `${file}: no receipt`);
  return { value: { receipts }, text: receipts.map(renderReceipt).join("\n") };
}

interface Against {
  readonly genesis: Uint8Array;
  readonly lists: readonly RevocationList[];
  readonly given: Uint8Array | undefined;
}

/** @throws ClientError CLIENT_RECEIPT_… with the line */
function verifyLine(text: string, line: number, { genesis, lists, given }: Against) {
  try {
    const kept: KeptReceipt = readReceiptLine(text);
    const verified = verifyReceipt(genesis, kept.receipt, lists);
    const content = contentOf(kept, given);
    if (content !== null) checkReceiptContent(verified.statement, content);
    return describeReceipt(verified, content === null ? "not given" : "same");
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    throw new ClientError({ ...error.details, line }, `line ${line}: ${error.message}`, {
      cause: error,
    });
  }
}

function loadRecipient(options: SignOptions) {
  const { network, as, key, passwordFile } = options;
  if (network !== undefined && as !== undefined && key === undefined) {
    return loadNetworkIdentity(network, loadNetwork(network), as);
  }
  if (as !== undefined || key === undefined || passwordFile === undefined) {
    throw new CliError(
      "CLI_OPTIONS_CONFLICT",
      "who received: --network with --as, or --key with --password-file",
    );
  }
  return loadIdentity(key, passwordFile);
}

/** @throws CliError CLI_FILE_MALFORMED */
function readCertificates(path: string | undefined): readonly Uint8Array[] {
  if (path === undefined) return [];
  const bundle = parseCertificateBundle(readTextOf(path));
  if (!bundle.ok) throw new CliError("CLI_FILE_MALFORMED", `${path}: ${bundle.code}`);
  return bundle.value.map(({ der }) => der);
}

async function sign(options: SignOptions) {
  const genesis = readTrusted(options);
  const from = parseAddress(options.from);
  if (!from.ok) throw new CliError("CLI_USAGE", `--from ${options.from} is no address`);
  const { transaction } = options;
  if (transaction !== undefined && !/^[0-9a-f]{64}$/.test(transaction)) {
    throw new CliError("CLI_USAGE", "--transaction takes 64 hexadecimal digits");
  }
  const { signer } = await loadRecipient(options);
  const received = {
    genesisDigest: readGenesis(genesis).digest,
    from: from.value,
    content: receivedContentDigest([readFileOf(options.in)]),
    ...(transaction === undefined ? {} : { transaction: digest(fromHex(transaction)) }),
    atMs: Date.now(),
  };
  const receipt = await signReceived(signer, received, readCertificates(options.certificate));
  const verified = verifyReceipt(genesis, receipt);
  writeNewFile(options.out, `${writeReceiptLine({ receipt, content: null })}\n`);
  const value = describeReceipt(verified, "same");
  return { value, text: `${renderReceipt(value)}\nwritten to ${options.out}` };
}
