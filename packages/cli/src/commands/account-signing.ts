import {
  type Call,
  DEFAULT_GAS_LIMIT,
  draftTransaction,
  endorse,
  type Identity,
  readGenesis,
} from "@credlink/client";
import { formatAddress, randomBytes } from "@credlink/crypto";
import { BUILT_IN_VERSION, isBuiltInContract, NONCE_BYTES } from "@credlink/ledger";
import { type Address, height, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import {
  combine,
  demandChain,
  describeDraft,
  loadDraft,
  loadTransaction,
  writeDraft,
  writeEndorsement,
  writeTransaction,
} from "../account-files.ts";
import {
  type ConnectionOptions,
  connect,
  loadIdentity,
  loadNetworkIdentity,
  readFileOf,
  withConnection,
} from "../connection.ts";
import { encodeContractArgs } from "../contract-values.ts";
import { addressOf } from "../document-file.ts";
import { CliError } from "../errors.ts";
import { loadNetwork, networkPaths } from "../network/layout.ts";

interface ChainOptions {
  readonly json?: boolean;
  readonly genesis?: string;
  readonly network?: string;
}

/** Where a draft goes, and until when it is good. */
export interface DraftOptions extends ChainOptions {
  readonly expiryHeight: string;
  readonly gas?: string;
  readonly out: string;
}

type Answer = (
  options: { readonly json?: boolean },
  make: () => Promise<object>,
) => Promise<void> | void;

/** Adds the options of a command that writes a draft, without a connection. */
export function withDraft(command: Command): Command {
  return command
    .option("--genesis <file>", "trusted genesis of the chain")
    .option("--network <dir>", "folder of a network, instead of --genesis")
    .requiredOption("--expiry-height <height>", "last height of a block that it may stand in")
    .option("--gas <limit>", "most gas that it may use")
    .requiredOption("--out <file>", "where the draft goes")
    .option("--json", "print one JSON document");
}

/** `account draft | sign | combine | submit`. */
export function addAccountSigning(account: Command, answer: Answer): void {
  withDraft(account.command("draft <contract> <method>"))
    .description("write down a call of an account for its members to sign; needs no connection")
    .requiredOption("--sender <account>", "the account's address")
    .option("--args <json>", "its arguments, as `contract call` takes them", "[]")
    .option("--contract-version <version>", "version of a contract that is not built in")
    .action((contract: string, method: string, options: CallOptions) =>
      answer(options, async () => draft(contract, method, options)),
    );
  account
    .command("sign <draft>")
    .description("show a draft and sign it as a member of its account; needs no connection")
    .option("--genesis <file>", "trusted genesis of the chain")
    .option("--network <dir>", "folder of a network, instead of --genesis")
    .option("--as <member>", "which of its members to be")
    .option("--key <file>", "key file of the member to be")
    .option("--password-file <file>", "file that holds the key file's password")
    .option("--address <address>", "the member's address, when its key was rotated")
    .option("--for <address>", "for whom; default: the draft's sender")
    .requiredOption("--out <file>", "where the signature goes")
    .option("--json", "print one JSON document")
    .action((file: string, options: SignOptions) => answer(options, () => sign(file, options)));
  account
    .command("combine <draft> <signatures...>")
    .description("put signatures over a draft together; needs no connection")
    .requiredOption("--out <file>", "where the transaction goes")
    .option("--json", "print one JSON document")
    .action((file: string, signatures: readonly string[], options: CombineOptions) =>
      answer(options, async () => {
        const signed = combine(loadDraft(file), signatures);
        writeTransaction(options.out, signed);
        return { id: toHex(signed.id), signatures: signatures.length, transaction: options.out };
      }),
    );
  withConnection(account.command("submit <transaction>"))
    .description("hand in a transaction that was combined, whoever one is, and wait for its block")
    .option("--json", "print one JSON document")
    .action((file: string, options: ConnectionOptions & { readonly json?: boolean }) =>
      answer(options, () => submit(file, options)),
    );
}

type CallOptions = DraftOptions & {
  readonly sender: string;
  readonly args: string;
  readonly contractVersion?: string;
};
type SignOptions = ChainOptions & {
  readonly as?: string;
  readonly key?: string;
  readonly passwordFile?: string;
  readonly address?: string;
  readonly for?: string;
  readonly out: string;
};
type CombineOptions = { readonly out: string; readonly json?: boolean };

/** @throws CliError CLI_OPTIONS_CONFLICT, CLI_FILE_UNREADABLE */
function genesisOf({ genesis, network }: ChainOptions): Uint8Array {
  if ((genesis === undefined) === (network === undefined)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "one of --genesis and --network is needed");
  }
  return readFileOf(genesis ?? networkPaths(network ?? "").genesis);
}

function draft(contract: string, method: string, options: CallOptions): object {
  const builtIn = isBuiltInContract(contract) ? BUILT_IN_VERSION : undefined;
  const version = options.contractVersion ?? builtIn;
  if (version === undefined) {
    throw new CliError("CLI_OPTIONS_CONFLICT", `${contract} needs --contract-version`);
  }
  const call = { contract, version, method, args: encodeContractArgs(options.args) };
  return draftCall(call, addressOf(options.sender), options);
}

/** Writes a call of an account as a draft, and says what it does. */
export function draftCall(call: Call, sender: Address, options: DraftOptions): object {
  const { genesis, digest } = readGenesis(genesisOf(options));
  const bytes = draftTransaction({
    chainId: genesis.chainId,
    sender,
    nonce: randomBytes(NONCE_BYTES),
    expiryHeight: height(countOf("--expiry-height", options.expiryHeight)),
    contract: call.contract,
    contractVersion: call.version,
    method: call.method,
    args: call.args,
    gasLimit:
      options.gas === undefined
        ? (call.gasLimit ?? DEFAULT_GAS_LIMIT)
        : countOf("--gas", options.gas),
  });
  writeDraft(options.out, digest, bytes);
  return { ...describeDraft(loadDraft(options.out)), draft: options.out };
}

/** @throws CliError CLI_USAGE */
function countOf(option: string, text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new CliError("CLI_USAGE", `${option} ${text}`);
  return Number(text);
}

async function sign(file: string, options: SignOptions): Promise<object> {
  const read = loadDraft(file);
  demandChain(read, genesisOf(options));
  const by = await signerOf(options);
  const address = options.for === undefined ? read.transaction.sender : addressOf(options.for);
  const endorsement = await endorse(read.bytes, read.genesisDigest, address, by);
  writeEndorsement(options.out, read, endorsement, by.signer.publicKey);
  return {
    ...describeDraft(read),
    for: formatAddress(address),
    signer: formatAddress(by.address),
    signature: options.out,
  };
}

/** @throws CliError CLI_OPTIONS_CONFLICT and what reading the key throws */
function signerOf({ network, as, key, passwordFile, address }: SignOptions): Promise<Identity> {
  if (network !== undefined && as !== undefined && key === undefined) {
    return loadNetworkIdentity(network, loadNetwork(network), as);
  }
  if (key === undefined || passwordFile === undefined || as !== undefined) {
    throw new CliError(
      "CLI_OPTIONS_CONFLICT",
      "who signs is named by --network and --as, or by --key and --password-file",
    );
  }
  return loadIdentity(key, passwordFile, address);
}

async function submit(file: string, options: ConnectionOptions): Promise<object> {
  const bytes = loadTransaction(file);
  const client = await connect(options);
  const { id, receipt, header } = await client.executeSigned(bytes);
  return { id: toHex(id), status: receipt.status, height: header.height, verified: true };
}
