import { writeFileSync } from "node:fs";
import {
  acceptFindings,
  approveContract,
  areFindingsAccepted,
  type ChangedContract,
  type Client,
  type DeclaredScan,
  demandInstalled,
  demandVersions,
  getDeclaredScans,
  type InstalledContract,
  installContract,
  readContractCode,
  setContractFrozen,
  startContract,
  stopContract,
  upgradeContract,
} from "@credlink/client";
import { formatAddress, sm3 } from "@credlink/crypto";
import { type Digest, digest, toHex } from "@credlink/primitives";
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

function describeScan({ organization, ruleSet, report, high }: DeclaredScan) {
  return { organization, high, ruleSet: toHex(ruleSet), report: toHex(report) };
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
async function judge(client: Client, path: string, progress: Progress, isDeclared = false) {
  const { judgePackage } = await import("@credlink/contract-tools");
  const isAccepted = (codeDigest: Digest) => areFindingsAccepted(client, codeDigest);
  return judgePackage(readFileOf(path), isAccepted, progress, isDeclared ? "declare" : "refuse");
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
  const { name, version, code, manifest, scan } = await judge(client, path, progress);
  if (options.contractVersion !== undefined && options.contractVersion !== version) {
    throw new CliError(
      "CLI_OPTIONS_CONFLICT",
      `the package is ${name}@${version}, not ${options.contractVersion}`,
    );
  }
  progress(`installing ${name}@${version}`);
  const changed = await installContract(client, { name, version, code, manifest, scan });
  return answerOf(describeChange(changed));
}

/**
 * Approves what stands on chain, once it is proven to be the package's. With findings it puts those
 * of high severity on record, which keeps the version from starting until a majority accepts them.
 */
export async function approvePackage(
  path: string,
  options: ConnectionOptions & { readonly withFindings?: boolean },
  progress: Progress,
): Promise<Answer> {
  const client = await connect(options);
  const judged = await judge(client, path, progress, options.withFindings);
  const { name, version, code, manifest, scan } = judged;
  progress(`approving ${name}@${version}`);
  const changed = await approveContract(client, { name, version, code, manifest, scan });
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

/** Puts on record that the sender's organisation accepts a package's module in spite of its findings. */
export async function acceptPackage(path: string, options: ConnectionOptions): Promise<Answer> {
  const tools = await import("@credlink/contract-tools");
  const { name, version, code } = tools.decodePackage(readFileOf(path));
  const codeDigest = digest(sm3(code));
  const client = await connect(options);
  const { isAccepted, committed } = await acceptFindings(client, codeDigest);
  const { id, header, receipt } = committed;
  return answerOf({
    ...{ name, version, codeDigest: toHex(codeDigest), accepted: isAccepted },
    ...{ transaction: toHex(id), height: header.height, gasUsed: receipt.gasUsed },
  });
}

/** Every version of a contract with its state, each proven. */
export async function showVersions(name: string, options: ConnectionOptions): Promise<Answer> {
  const client = await connect(options);
  const { versions, started } = await demandVersions(client, name);
  const records = await Promise.all(
    versions.map(async (version) => {
      const [contract, scans] = await Promise.all([
        demandInstalled(client, { name, version }),
        getDeclaredScans(client, { name, version }),
      ]);
      return { ...describe(contract), scans: scans.map(describeScan) };
    }),
  );
  const value = { name, started, versions: records, verified: true };
  const lines = records.map(
    (each) => `${each.version} ${each.state} ${each.codeDigest} ${each.approvals.join(",") || "-"}`,
  );
  for (const { version: of, scans } of records) {
    for (const { organization, high, ruleSet } of scans) {
      lines.push(`  ${of} scanned by ${organization}: ${high} high findings, rules ${ruleSet}`);
    }
  }
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
