import { writeFileSync } from "node:fs";
import type { Client } from "@credlink/client";
import {
  acceptedFindingsCodec,
  type ContractVersions,
  contractNameArgsCodec,
  contractVersionsCodec,
  contractVersionsKey,
  getCodeArgsCodec,
  type InstalledContract,
  installedContractCodec,
  installedContractKey,
  MAX_CODE_PART_BYTES,
  packageDigestArgsCodec,
} from "@credlink/contracts-vm";
import { formatAddress, sm3 } from "@credlink/crypto";
import {
  BUILT_IN_VERSION,
  CONTRACTS_CONTRACT,
  contractVersionArgsCodec,
  installContractArgsCodec,
  SUCCESS,
} from "@credlink/ledger";
import {
  concatBytes,
  type Digest,
  decode,
  digest,
  encode,
  equalBytes,
  toHex,
} from "@credlink/primitives";
import { type ConnectionOptions, connect, readFileOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import type { Answer } from "../output.ts";
import type { Progress } from "./contract-develop.ts";
import { renderFields } from "./read.ts";

const CALL_GAS = 2_000_000;
/** Judging a byte of code and storing it, with room. */
const INSTALL_GAS_PER_BYTE = 160;

/** One version as the head's certified state has it. @throws CliError CLI_NOT_FOUND */
export async function demandInstalled(
  client: Client,
  name: string,
  version: string,
): Promise<InstalledContract> {
  const { value } = await client.getState(CONTRACTS_CONTRACT, installedContractKey(name, version));
  if (value === null) throw new CliError("CLI_NOT_FOUND", `${name}@${version} is not installed`);
  return decode(installedContractCodec, value);
}

/** All versions of a contract, proven. @throws CliError CLI_NOT_FOUND */
export async function demandVersions(client: Client, name: string): Promise<ContractVersions> {
  const { value } = await client.getState(CONTRACTS_CONTRACT, contractVersionsKey(name));
  if (value === null) throw new CliError("CLI_NOT_FOUND", `no contract ${name}`);
  return decode(contractVersionsCodec, value);
}

async function send(client: Client, method: string, args: Uint8Array, gasLimit = CALL_GAS) {
  const call = { contract: CONTRACTS_CONTRACT, version: BUILT_IN_VERSION, method, args, gasLimit };
  const { id, header, receipt } = await client.execute(call);
  return { transaction: toHex(id), height: header.height, gasUsed: receipt.gasUsed };
}

function describe(contract: InstalledContract) {
  const { name, version, state, codeDigest, codeBytes, manifestDigest } = contract;
  return {
    name,
    version,
    state,
    codeDigest: toHex(codeDigest),
    codeBytes,
    manifestDigest: toHex(manifestDigest),
    approvals: contract.approvals,
    stopVotes: contract.stopVotes,
    installedBy: contract.installedBy === null ? null : formatAddress(contract.installedBy),
    installedAt: contract.installedAt,
  };
}

function answerOf(value: object): Answer {
  return { value, text: renderFields(value) };
}

interface JudgedPackage {
  readonly name: string;
  readonly version: string;
  readonly code: Uint8Array;
  readonly manifest: Uint8Array;
  readonly packageDigest: Digest;
}

/**
 * Reads a package, compiles its sources again, scans it, and refuses one with high findings that
 * governance has not accepted on chain: what an organisation does before it signs.
 *
 * @throws ContractToolsError TOOLS_PACKAGE_…, TOOLS_SOURCE_DIFFERS, TOOLS_FINDINGS_HIGH
 */
async function judgePackage(
  client: Client,
  path: string,
  progress: Progress,
): Promise<JudgedPackage> {
  const tools = await import("@credlink/contract-tools");
  const { highOf, packageTarget } = await import("./contract-develop.ts");
  const bytes = readFileOf(path);
  const { name, version, code, manifest } = tools.decodePackage(bytes);
  progress("compiling the package's sources again");
  const target = await packageTarget(bytes);
  progress("scanning");
  const high = highOf(tools.scanContract(target, tools.loadRules()));
  const packageDigest = tools.packageDigest(bytes);
  if (high.length > 0 && !(await areAccepted(client, packageDigest))) {
    const places = high.map(tools.describeFinding).join("; ");
    throw new tools.ContractToolsError("TOOLS_FINDINGS_HIGH", places);
  }
  return { name, version, code, manifest, packageDigest };
}

async function areAccepted(client: Client, packageDigest: Digest): Promise<boolean> {
  const { status, returnValue } = await client.queryContract({
    contract: CONTRACTS_CONTRACT,
    version: BUILT_IN_VERSION,
    method: "findings",
    args: encode(packageDigestArgsCodec, { packageDigest }),
  });
  return status === SUCCESS && decode(acceptedFindingsCodec, returnValue).isAccepted;
}

export interface PackageOptions extends ConnectionOptions {
  /** The version that the operation names; it must be the package's. */
  readonly contractVersion?: string;
}

/** Puts a package's module and manifest on chain, approved by the sender's organisation. */
export async function installPackage(
  path: string,
  options: PackageOptions,
  progress: Progress,
): Promise<Answer> {
  const client = await connect(options);
  const judged = await judgePackage(client, path, progress);
  const { name, version, code, manifest } = judged;
  if (options.contractVersion !== undefined && options.contractVersion !== version) {
    throw new CliError(
      "CLI_OPTIONS_CONFLICT",
      `the package is ${name}@${version}, not ${options.contractVersion}`,
    );
  }
  progress(`installing ${name}@${version}`);
  const args = encode(installContractArgsCodec, { name, version, code, manifest });
  const gas = CALL_GAS + INSTALL_GAS_PER_BYTE * args.length;
  const sent = await send(client, "install", args, gas);
  return answerOf({ ...describe(await demandInstalled(client, name, version)), ...sent });
}

/** Approves what stands on chain, once it is proven to be the package's. */
export async function approvePackage(
  path: string,
  options: PackageOptions,
  progress: Progress,
): Promise<Answer> {
  const client = await connect(options);
  const { name, version, code, manifest } = await judgePackage(client, path, progress);
  const installed = await demandInstalled(client, name, version);
  const isSame =
    equalBytes(installed.codeDigest, sm3(code)) &&
    equalBytes(installed.manifestDigest, sm3(manifest));
  if (!isSame) {
    throw new CliError("CLI_CONTRACT_DIFFERS", `${name}@${version} on chain is not the package's`);
  }
  progress(`approving ${name}@${version}`);
  const { codeDigest } = installed;
  const sent = await send(
    client,
    "approve",
    encode(contractVersionArgsCodec, { name, version, codeDigest }),
  );
  return answerOf({ ...describe(await demandInstalled(client, name, version)), ...sent });
}

/** `start` (the first version, or one that was stopped), `upgrade` (in another's place), `stop`. */
export async function turnVersion(
  turn: "start" | "upgrade" | "stop",
  name: string,
  version: string,
  options: ConnectionOptions,
): Promise<Answer> {
  const client = await connect(options);
  const { codeDigest } = await demandInstalled(client, name, version);
  const { started } = await demandVersions(client, name);
  if (turn === "start" && started !== null && started !== version) {
    throw new CliError("CLI_OPTIONS_CONFLICT", `${started} is started: upgrade it`);
  }
  if (turn === "upgrade" && (started === null || started === version)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", `no other version is started: start it`);
  }
  const method = turn === "stop" ? "stop" : "start";
  const args = encode(contractVersionArgsCodec, { name, version, codeDigest });
  const sent = await send(client, method, args);
  const before = turn === "upgrade" ? { before: started } : {};
  return answerOf({
    ...describe(await demandInstalled(client, name, version)),
    ...before,
    ...sent,
  });
}

/** A regulator's freeze, and its end. */
export async function turnContract(
  method: "freeze" | "unfreeze",
  name: string,
  options: ConnectionOptions,
): Promise<Answer> {
  const client = await connect(options);
  const sent = await send(client, method, encode(contractNameArgsCodec, { name }));
  const { started } = await demandVersions(client, name);
  const version = started ?? "";
  return answerOf({ ...describe(await demandInstalled(client, name, version)), ...sent });
}

/** Puts on record that the sender's organisation accepts a package in spite of its findings. */
export async function acceptFindings(path: string, options: ConnectionOptions): Promise<Answer> {
  const tools = await import("@credlink/contract-tools");
  const bytes = readFileOf(path);
  const { name, version } = tools.decodePackage(bytes);
  const packageDigest = tools.packageDigest(bytes);
  const client = await connect(options);
  const sent = await send(
    client,
    "acceptFindings",
    encode(packageDigestArgsCodec, { packageDigest }),
  );
  const accepted = await areAccepted(client, packageDigest);
  return answerOf({ name, version, packageDigest: toHex(packageDigest), accepted, ...sent });
}

/** Every version of a contract with its state, each proven. */
export async function showVersions(name: string, options: ConnectionOptions): Promise<Answer> {
  const client = await connect(options);
  const { versions, started } = await demandVersions(client, name);
  const records = await Promise.all(
    versions.map(async (version) => describe(await demandInstalled(client, name, version))),
  );
  const value = { name, started, versions: records, verified: true };
  const lines = records.map(
    (each) => `${each.version} ${each.state} ${each.codeDigest} ${each.approvals.join(",") || "-"}`,
  );
  return { value, text: lines.join("\n") };
}

/** A version's code and manifest, held to the digests that the certified state has. */
export async function readCode(
  name: string,
  version: string,
  options: ConnectionOptions & { readonly out?: string },
): Promise<Answer> {
  const client = await connect(options);
  const installed = await demandInstalled(client, name, version);
  const code = await readParts(client, "code", installed, installed.codeBytes);
  if (!equalBytes(digest(sm3(code)), installed.codeDigest)) {
    throw new CliError(
      "CLI_CONTRACT_DIFFERS",
      `the gateway's code of ${name}@${version} is another`,
    );
  }
  if (options.out !== undefined) writeFileSync(options.out, code);
  const file = options.out ?? null;
  return answerOf({ ...describe(installed), file, verified: true });
}

async function readParts(
  client: Client,
  method: "code" | "manifest",
  { name, version }: InstalledContract,
  total: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let offset = 0; offset < total; offset += MAX_CODE_PART_BYTES) {
    const length = Math.min(MAX_CODE_PART_BYTES, total - offset);
    const { status, returnValue } = await client.queryContract({
      contract: CONTRACTS_CONTRACT,
      version: BUILT_IN_VERSION,
      method,
      args: encode(getCodeArgsCodec, { name, version, offset, length }),
    });
    if (status !== SUCCESS) throw new CliError("CLI_NOT_FOUND", `${name}@${version}: ${status}`);
    parts.push(returnValue);
  }
  return concatBytes(...parts);
}
