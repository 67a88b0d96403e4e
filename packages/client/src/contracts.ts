import {
  acceptedFindingsCodec,
  type ContractVersions,
  codeDigestArgsCodec,
  contractNameArgsCodec,
  contractNamesCodec,
  contractNamesKey,
  contractVersionsCodec,
  contractVersionsKey,
  type DeclaredScan,
  declaredScansCodec,
  declaredScansKey,
  getCodeArgsCodec,
  type InstalledContract,
  installedContractCodec,
  installedContractKey,
  MAX_CODE_PART_BYTES,
} from "@credlink/contracts-vm/formats";
import { sm3 } from "@credlink/crypto";
import {
  approveContractArgsCodec,
  BUILT_IN_VERSION,
  CONTRACTS_CONTRACT,
  contractVersionArgsCodec,
  type InstallContractArgs,
  installContractArgsCodec,
  SUCCESS,
} from "@credlink/ledger";
import { concatBytes, type Digest, digest, encode, equalBytes } from "@credlink/primitives";
import type { Client, WaitOptions } from "./client.ts";
import { clientError } from "./errors.ts";
import { decodeClaim } from "./header-claims.ts";
import type { CommittedTransaction } from "./records.ts";
import type { Call } from "./transactions.ts";

export type {
  ContractVersions,
  DeclaredScan,
  InstalledContract,
} from "@credlink/contracts-vm/formats";

/*
 * A contract's life on chain, one function for each operation: install, approve, start, upgrade,
 * stop, freeze. Each answers with the version as the certified state has it afterwards.
 */

const CALL_GAS = 2_000_000;
/** Judging a byte of code and storing it, with room. */
const INSTALL_GAS_PER_BYTE = 160;

/** A version after an operation, proven, and the transaction that did it. */
export interface ChangedContract {
  readonly contract: InstalledContract;
  readonly committed: CommittedTransaction;
}

/** Names one version of one contract. */
export interface VersionName {
  readonly name: string;
  readonly version: string;
}

function registryCall(method: string, args: Uint8Array, gasLimit = CALL_GAS): Call {
  return { contract: CONTRACTS_CONTRACT, version: BUILT_IN_VERSION, method, args, gasLimit };
}

/** One version as the head's certified state has it; null when it is proven absent. */
export async function getInstalledContract(
  client: Client,
  { name, version }: VersionName,
): Promise<InstalledContract | null> {
  const { value } = await client.getState(CONTRACTS_CONTRACT, installedContractKey(name, version));
  return value === null ? null : decodeClaim(installedContractCodec, value, "contract");
}

/** All versions of a contract and which is started, proven; null when it is proven absent. */
export async function getContractVersions(
  client: Client,
  name: string,
): Promise<ContractVersions | null> {
  const { value } = await client.getState(CONTRACTS_CONTRACT, contractVersionsKey(name));
  return value === null ? null : decodeClaim(contractVersionsCodec, value, "versions");
}

/** What each organisation declared when it last approved a version, proven. */
export async function getDeclaredScans(
  client: Client,
  { name, version }: VersionName,
): Promise<readonly DeclaredScan[]> {
  const { value } = await client.getState(CONTRACTS_CONTRACT, declaredScansKey(name, version));
  return value === null ? [] : decodeClaim(declaredScansCodec, value, "declared scans");
}

/** Names of all contracts, in order of installation, proven. */
export async function listContractNames(client: Client): Promise<readonly string[]> {
  const { value } = await client.getState(CONTRACTS_CONTRACT, contractNamesKey());
  return value === null ? [] : decodeClaim(contractNamesCodec, value, "names of contracts");
}

/** @throws ClientError CLIENT_CONTRACT_UNKNOWN */
export async function demandInstalled(
  client: Client,
  name: VersionName,
): Promise<InstalledContract> {
  const found = await getInstalledContract(client, name);
  if (found !== null) return found;
  throw clientError("CLIENT_CONTRACT_UNKNOWN", `${name.name}@${name.version} is not installed`);
}

/** @throws ClientError CLIENT_CONTRACT_UNKNOWN */
export async function demandVersions(client: Client, name: string): Promise<ContractVersions> {
  const found = await getContractVersions(client, name);
  if (found !== null) return found;
  throw clientError("CLIENT_CONTRACT_UNKNOWN", `no contract ${name}`);
}

async function change(
  client: Client,
  call: Call,
  name: VersionName,
  options?: WaitOptions,
): Promise<ChangedContract> {
  const committed = await client.execute(call, options);
  return { contract: await demandInstalled(client, name), committed };
}

/**
 * Puts module and manifest on chain, approved by the sender's organisation: by an admin. What a
 * package holds is compiled again and scanned first (contract-tools, `judgePackage`).
 */
export function installContract(
  client: Client,
  args: InstallContractArgs,
  options?: WaitOptions,
): Promise<ChangedContract> {
  const bytes = encode(installContractArgsCodec, args);
  const gas = CALL_GAS + INSTALL_GAS_PER_BYTE * bytes.length;
  return change(client, registryCall("install", bytes, gas), args, options);
}

async function turn(
  client: Client,
  method: "start" | "stop",
  { name, version }: VersionName,
  options?: WaitOptions,
): Promise<ChangedContract> {
  const { codeDigest } = await demandInstalled(client, { name, version });
  const args = encode(contractVersionArgsCodec, { name, version, codeDigest });
  return change(client, registryCall(method, args), { name, version }, options);
}

/**
 * Approves a version for the sender's organisation, by the digest of what the caller compared, and
 * declares what the caller's scan of it came to.
 * @throws ClientError CLIENT_CONTRACT_DIFFERS when another module or manifest is installed
 */
export async function approveContract(
  client: Client,
  { code, manifest, scan, ...name }: InstallContractArgs,
  options?: WaitOptions,
): Promise<ChangedContract> {
  const { codeDigest, manifestDigest } = await demandInstalled(client, name);
  if (!equalBytes(codeDigest, sm3(code)) || !equalBytes(manifestDigest, sm3(manifest))) {
    const detail = `${name.name}@${name.version} on chain is another`;
    throw clientError("CLIENT_CONTRACT_DIFFERS", detail);
  }
  const args = encode(approveContractArgsCodec, { ...name, codeDigest, scan });
  return change(client, registryCall("approve", args), name, options);
}

/**
 * Starts (instantiates) an approved version where none is started.
 * @throws ClientError CLIENT_CONTRACT_TURN when another one is
 */
export async function startContract(
  client: Client,
  name: VersionName,
  options?: WaitOptions,
): Promise<ChangedContract> {
  const { started } = await demandVersions(client, name.name);
  if (started !== null && started !== name.version) {
    throw clientError("CLIENT_CONTRACT_TURN", `${started} is started: upgrade it`);
  }
  return turn(client, "start", name, options);
}

/**
 * Starts an approved version in the place of the one that is started.
 * @returns also the version before
 * @throws ClientError CLIENT_CONTRACT_TURN when no other one is started
 */
export async function upgradeContract(
  client: Client,
  name: VersionName,
  options?: WaitOptions,
): Promise<ChangedContract & { readonly before: string }> {
  const { started } = await demandVersions(client, name.name);
  if (started === null || started === name.version) {
    throw clientError("CLIENT_CONTRACT_TURN", "no other version is started: start it");
  }
  return { ...(await turn(client, "start", name, options)), before: started };
}

/** Votes for the stop of a version; the vote that makes a majority stops it. */
export function stopContract(
  client: Client,
  name: VersionName,
  options?: WaitOptions,
): Promise<ChangedContract> {
  return turn(client, "stop", name, options);
}

/** A regulator's freeze of the started version, or its end. */
export async function setContractFrozen(
  client: Client,
  name: string,
  isFrozen: boolean,
  options?: WaitOptions,
): Promise<ChangedContract> {
  const args = encode(contractNameArgsCodec, { name });
  const { started } = await demandVersions(client, name);
  const call = registryCall(isFrozen ? "freeze" : "unfreeze", args);
  return change(client, call, { name, version: started ?? "" }, options);
}

/** Records that the sender's organisation accepts a module in spite of its findings. */
export async function acceptFindings(
  client: Client,
  codeDigest: Digest,
): Promise<{ readonly isAccepted: boolean; readonly committed: CommittedTransaction }> {
  const args = encode(codeDigestArgsCodec, { codeDigest });
  const committed = await client.execute(registryCall("acceptFindings", args));
  return { isAccepted: await areFindingsAccepted(client, codeDigest), committed };
}

/** Whether a majority accepted a module's findings: the node's word. */
export async function areFindingsAccepted(client: Client, codeDigest: Digest): Promise<boolean> {
  const { status, returnValue } = await client.queryContract({
    contract: CONTRACTS_CONTRACT,
    version: BUILT_IN_VERSION,
    method: "findings",
    args: encode(codeDigestArgsCodec, { codeDigest }),
  });
  if (status !== SUCCESS) return false;
  return decodeClaim(acceptedFindingsCodec, returnValue, "accepted findings").isAccepted;
}

/**
 * A version's module from the chain, held to the digest that the certified state has.
 * @throws ClientError CLIENT_CONTRACT_UNKNOWN; CLIENT_CONTRACT_DIFFERS when the gateway's is another
 */
export async function readContractCode(
  client: Client,
  name: VersionName,
): Promise<{ readonly contract: InstalledContract; readonly code: Uint8Array }> {
  const contract = await demandInstalled(client, name);
  const parts: Uint8Array[] = [];
  for (let offset = 0; offset < contract.codeBytes; offset += MAX_CODE_PART_BYTES) {
    const length = Math.min(MAX_CODE_PART_BYTES, contract.codeBytes - offset);
    const { status, returnValue } = await client.queryContract({
      contract: CONTRACTS_CONTRACT,
      version: BUILT_IN_VERSION,
      method: "code",
      args: encode(getCodeArgsCodec, { ...name, offset, length }),
    });
    if (status !== SUCCESS) throw differs(name, status);
    parts.push(returnValue);
  }
  const code = concatBytes(...parts);
  if (!equalBytes(digest(sm3(code)), contract.codeDigest)) throw differs(name, "another digest");
  return { contract, code };
}

function differs({ name, version }: VersionName, detail: string) {
  const text = `the gateway's code of ${name}@${version}: ${detail}`;
  return clientError("CLIENT_CONTRACT_DIFFERS", text);
}
