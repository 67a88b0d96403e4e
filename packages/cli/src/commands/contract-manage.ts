import { writeFileSync } from "node:fs";
import {
  acceptFindings,
  approveContract,
  areFindingsAccepted,
  type ChangedContract,
  type Client,
  demandInstalled,
  demandVersions,
  type InstalledContract,
  installContract,
  readContractCode,
  setContractFrozen,
  startContract,
  stopContract,
  upgradeContract,
} from "@credlink/client";
import { formatAddress } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import { type ConnectionOptions, connect, readFileOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import type { Answer } from "../output.ts";
import type { Progress } from "./contract-develop.ts";
import { renderFields } from "./read.ts";

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

function describeChange({ contract, committed }: ChangedContract) {
  const { id, header, receipt } = committed;
  return {
    ...describe(contract),
    ...{ transaction: toHex(id), height: header.height, gasUsed: receipt.gasUsed },
  };
}

/** What an organisation does with a package before it signs; the compiler loads in seconds. */
async function judge(client: Client, path: string, progress: Progress) {
  const { judgePackage } = await import("@credlink/contract-tools");
  const isAccepted = (digest: Parameters<typeof areFindingsAccepted>[1]) =>
    areFindingsAccepted(client, digest);
  return judgePackage(readFileOf(path), isAccepted, progress);
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
  const { name, version, code, manifest } = await judge(client, path, progress);
  if (options.contractVersion !== undefined && options.contractVersion !== version) {
    throw new CliError(
      "CLI_OPTIONS_CONFLICT",
      `the package is ${name}@${version}, not ${options.contractVersion}`,
    );
  }
  progress(`installing ${name}@${version}`);
  const changed = await installContract(client, { name, version, code, manifest });
  return answerOf(describeChange(changed));
}

/** Approves what stands on chain, once it is proven to be the package's. */
export async function approvePackage(
  path: string,
  options: PackageOptions,
  progress: Progress,
): Promise<Answer> {
  const client = await connect(options);
  const { name, version, code, manifest } = await judge(client, path, progress);
  progress(`approving ${name}@${version}`);
  const changed = await approveContract(client, { name, version, code, manifest });
  return answerOf(describeChange(changed));
}

/** `start` (the first version, or one that was stopped), `upgrade` (in another's place), `stop`. */
export async function turnVersion(
  turn: "start" | "upgrade" | "stop",
  name: string,
  version: string,
  options: ConnectionOptions,
): Promise<Answer> {
  const client = await connect(options);
  if (turn === "upgrade") {
    const { before, ...changed } = await upgradeContract(client, { name, version });
    return answerOf({ ...describeChange(changed), before });
  }
  const operation = turn === "start" ? startContract : stopContract;
  return answerOf(describeChange(await operation(client, { name, version })));
}

/** A regulator's freeze, and its end. */
export async function turnContract(
  method: "freeze" | "unfreeze",
  name: string,
  options: ConnectionOptions,
): Promise<Answer> {
  const client = await connect(options);
  return answerOf(describeChange(await setContractFrozen(client, name, method === "freeze")));
}

/** Puts on record that the sender's organisation accepts a package in spite of its findings. */
export async function acceptPackage(path: string, options: ConnectionOptions): Promise<Answer> {
  const tools = await import("@credlink/contract-tools");
  const bytes = readFileOf(path);
  const { name, version } = tools.decodePackage(bytes);
  const packageDigest = tools.packageDigest(bytes);
  const client = await connect(options);
  const { isAccepted, committed } = await acceptFindings(client, packageDigest);
  const { id, header, receipt } = committed;
  return answerOf({
    ...{ name, version, packageDigest: toHex(packageDigest), accepted: isAccepted },
    ...{ transaction: toHex(id), height: header.height, gasUsed: receipt.gasUsed },
  });
}

/** Every version of a contract with its state, each proven. */
export async function showVersions(name: string, options: ConnectionOptions): Promise<Answer> {
  const client = await connect(options);
  const { versions, started } = await demandVersions(client, name);
  const records = await Promise.all(
    versions.map(async (version) => describe(await demandInstalled(client, { name, version }))),
  );
  const value = { name, started, versions: records, verified: true };
  const lines = records.map(
    (each) => `${each.version} ${each.state} ${each.codeDigest} ${each.approvals.join(",") || "-"}`,
  );
  return { value, text: lines.join("\n") };
}

/** A version's module, held to the digest that the certified state has. */
export async function readCode(
  name: string,
  version: string,
  options: ConnectionOptions & { readonly out?: string },
): Promise<Answer> {
  const client = await connect(options);
  const { contract, code } = await readContractCode(client, { name, version });
  if (options.out !== undefined) writeFileSync(options.out, code);
  return answerOf({ ...describe(contract), file: options.out ?? null, verified: true });
}
