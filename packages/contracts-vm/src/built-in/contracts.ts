import {
  type ApproveContractArgs,
  approveContractArgsCodec,
  type ContractUsageArgs,
  type ContractVersionArgs,
  contractUsageArgsCodec,
  contractUsageCodec,
  contractVersionArgsCodec,
  type InstallContractArgs,
  installContractArgsCodec,
  type SetQuotaArgs,
  setQuotaArgsCodec,
} from "@credlink/ledger";
import {
  type Codec,
  digestCodec,
  encode,
  equalBytes,
  invariant,
  list,
  nullable,
  oneOf,
  struct,
  text,
  u32,
} from "@credlink/primitives";
import { GAS_SCHEDULE, INSTALL_GAS_PER_BYTE } from "../gas-schedule.ts";
import { readQuota, readUsage } from "../state-usage.ts";
import { Stop } from "../stop.ts";
import { adminOrganizations, isMajority } from "./authority.ts";
import {
  type BuiltInCall,
  type BuiltInContract,
  changing,
  reading,
  refuseCall,
} from "./built-in.ts";
import {
  codeChunks,
  isDeployableName,
  isNewer,
  joinCode,
  judgeDeployment,
} from "./contract-code.ts";
import {
  acceptFindings,
  approvingScans,
  codeDigestArgsCodec,
  declareScan,
  findings,
  requireNoHighFindings,
} from "./contract-findings.ts";
import { alsoGoverned, governed } from "./governed.ts";
import { noArgsCodec } from "./members.ts";
import {
  type ContractVersions,
  contractStates,
  type InstalledContract,
  installedContractCodec,
  MAX_CONTRACTS,
  MAX_VERSIONS,
  rows,
} from "./rows.ts";

/** Arguments of `contracts.get` and `contracts.manifest`; version null: the started one. */
export interface GetContractArgs {
  readonly name: string;
  readonly version: string | null;
}
export const getContractArgsCodec: Codec<GetContractArgs> = struct({
  name: text(64),
  version: nullable(text(32)),
});

/** Arguments of `contracts.code` and `contracts.manifest`: one part of the stored bytes. */
export interface GetCodeArgs {
  readonly name: string;
  readonly version: string;
  readonly offset: number;
  /** At most `MAX_CODE_PART_BYTES`. */
  readonly length: number;
}
export const getCodeArgsCodec: Codec<GetCodeArgs> = struct({
  name: text(64),
  version: text(32),
  offset: u32,
  length: u32,
});
export const MAX_CODE_PART_BYTES = 15 * 1024;

/** Most entries and bytes that a quota permits. */
const MAX_QUOTA = 2 ** 50;

/** One contract in `contracts.list`. */
export interface ListedContract {
  readonly name: string;
  readonly versions: readonly string[];
  readonly started: string | null;
}
export const contractListCodec: Codec<readonly ListedContract[]> = list(
  struct({
    name: text(64),
    versions: list(text(32), MAX_VERSIONS),
    started: nullable(text(32)),
  }),
  MAX_CONTRACTS,
);

/** Topic of the event of every change of a version; data: `contractChangedCodec`. */
export const CONTRACT_CHANGED_TOPIC = "changed";

/** A version that was installed, approved, started or stopped, as it is now. */
export type ContractChanged = Pick<InstalledContract, "name" | "version" | "codeDigest" | "state">;
export const contractChangedCodec: Codec<ContractChanged> = struct({
  name: text(64),
  version: text(32),
  codeDigest: digestCodec,
  state: oneOf(...contractStates),
});

/** Arguments of `contracts.freeze` and `.unfreeze`. */
export interface ContractNameArgs {
  readonly name: string;
}
export const contractNameArgsCodec: Codec<ContractNameArgs> = struct({ name: text(64) });

const versionArgs = contractVersionArgsCodec;

/** The registry of contracts: install, approve, start, stop, freeze, and what is installed. */
export const contractsContract: BuiltInContract = new Map([
  ["install", changing(["admin"], installContractArgsCodec, install)],
  ["approve", changing(["admin"], approveContractArgsCodec, approve)],
  [
    "start",
    alsoGoverned(changing(["admin"], versionArgs, start), "ordinary", versionArgs, startDecided),
  ],
  [
    "stop",
    alsoGoverned(changing(["admin"], versionArgs, stop), "ordinary", versionArgs, stopDecided),
  ],
  ["freeze", changing(["regulator"], contractNameArgsCodec, freeze)],
  ["unfreeze", changing(["regulator"], contractNameArgsCodec, unfreeze)],
  ["acceptFindings", changing(["admin"], codeDigestArgsCodec, acceptFindings)],
  ["findings", reading(codeDigestArgsCodec, findings)],
  ["setQuota", governed("ordinary", setQuotaArgsCodec, setQuota)],
  ["usage", reading(contractUsageArgsCodec, usage)],
  ["get", reading(getContractArgsCodec, get)],
  ["code", reading(getCodeArgsCodec, code)],
  ["manifest", reading(getCodeArgsCodec, manifest)],
  ["list", reading(noArgsCodec, listContracts)],
]);

function install(args: InstallContractArgs, call: BuiltInCall): undefined {
  const { name, version } = args;
  if (!isDeployableName(name, version)) refuseCall("CONTRACTS_NAME_INVALID");
  const row = rows.installed(name, version);
  if (call.state.read(row) !== null) refuseCall("CONTRACTS_VERSION_EXISTS");
  const before = call.state.read(rows.contractVersions(name))?.versions ?? [];
  if (before.some((each) => !isNewer(version, each))) refuseCall("CONTRACTS_VERSION_OLD");
  call.gas.charge(INSTALL_GAS_PER_BYTE * (args.code.length + args.manifest.length));
  const judged = judgeDeployment(args);
  if (!judged.ok) throw new Stop(judged.code, judged.detail);
  const { codeDigest, manifestDigest } = judged.value;
  requireNoHighFindings(codeDigest, [args.scan], call);
  declareScan(args, args.scan, call);
  addName(name, version, call);
  for (const [index, chunk] of codeChunks(args.code).entries()) {
    call.state.write(rows.code(codeDigest, index), chunk);
  }
  call.state.write(rows.manifest(name, version), args.manifest);
  save(
    {
      name,
      version,
      codeDigest,
      codeBytes: args.code.length,
      manifestDigest,
      gasSchedule: GAS_SCHEDULE,
      state: "installed",
      approvals: adminOrganizations(call),
      stopVotes: [],
      installedBy: call.caller.address,
      installedAt: call.block.height,
    },
    call,
  );
}

function addName(name: string, version: string, call: BuiltInCall): void {
  const known = call.state.read(rows.contractVersions(name));
  if (known === null) {
    const names = call.state.read(rows.contractNames) ?? [];
    if (names.length >= MAX_CONTRACTS) refuseCall("CONTRACTS_TOO_MANY");
    call.state.write(rows.contractNames, [...names, name]);
  }
  const versions = known?.versions ?? [];
  if (versions.length >= MAX_VERSIONS) refuseCall("CONTRACTS_TOO_MANY");
  const started = known?.started ?? null;
  call.state.write(rows.contractVersions(name), { versions: [...versions, version], started });
}

function save(contract: InstalledContract, call: BuiltInCall): void {
  call.state.write(rows.installed(contract.name, contract.version), contract);
  call.emit(CONTRACT_CHANGED_TOPIC, encode(contractChangedCodec, contract));
}

function find(name: string, version: string, call: BuiltInCall): InstalledContract {
  return call.state.read(rows.installed(name, version)) ?? refuseCall("CONTRACTS_NOT_INSTALLED");
}

function findExact(args: ContractVersionArgs, call: BuiltInCall): InstalledContract {
  const contract = find(args.name, args.version, call);
  if (!equalBytes(contract.codeDigest, args.codeDigest)) refuseCall("CONTRACTS_DIGEST_WRONG");
  return contract;
}

/**
 * Approves, and puts on record what the organisation's scan came to. High findings are recorded as
 * well: they keep the version from starting, whoever else approves it, until a majority accepts them.
 */
function approve(args: ApproveContractArgs, call: BuiltInCall): undefined {
  const contract = findExact(args, call);
  const approvals = new Set([...contract.approvals, ...adminOrganizations(call)]);
  const isNew = declareScan(contract, args.scan, call);
  if (!isNew && approvals.size === contract.approvals.length) {
    refuseCall("CONTRACTS_ALREADY_APPROVED");
  }
  save({ ...contract, approvals: [...approvals] }, call);
}

/**
 * Starts a version and, as an upgrade, supersedes the one that was started. What was approved once
 * is not approved for good: a version that ran before needs its approvals anew.
 */
function start(args: ContractVersionArgs, call: BuiltInCall): undefined {
  startVersion(args, call, false);
}

function startDecided(args: ContractVersionArgs, call: BuiltInCall): undefined {
  startVersion(args, call, true);
}

function startVersion(args: ContractVersionArgs, call: BuiltInCall, isDecided: boolean): void {
  const contract = findExact(args, call);
  if (contract.state === "started") refuseCall("CONTRACTS_ALREADY_STARTED");
  const versions = versionsOf(args.name, call);
  const running = versions.started === null ? null : find(args.name, versions.started, call);
  if (running?.state === "frozen") refuseCall("CONTRACTS_FROZEN");
  // A decision is its own approval.
  if (!isDecided) requireApproved(contract, call);
  if (running !== null) save({ ...running, ...NO_VOTES, state: "superseded" }, call);
  call.state.write(rows.contractVersions(args.name), { ...versions, started: args.version });
  save({ ...contract, state: "started" }, call);
}

/** Approvals count with what was declared of the scan, and high findings need to be accepted. */
function requireApproved(contract: InstalledContract, call: BuiltInCall): void {
  const scans = approvingScans(contract, call);
  const approving = scans.map(({ organization }) => organization);
  if (!isMajority(call, approving)) refuseCall("CONTRACTS_NOT_APPROVED");
  requireNoHighFindings(contract.codeDigest, scans, call);
}

const NO_VOTES = { approvals: [], stopVotes: [] } as const;

/** Adds a vote for the stop; the one that makes a majority stops the version. */
function stop(args: ContractVersionArgs, call: BuiltInCall): undefined {
  const contract = findExact(args, call);
  requireStarted(contract);
  const stopVotes = [...new Set([...contract.stopVotes, ...adminOrganizations(call)])];
  if (stopVotes.length === contract.stopVotes.length) refuseCall("CONTRACTS_ALREADY_APPROVED");
  if (!isMajority(call, stopVotes)) {
    save({ ...contract, stopVotes }, call);
    return;
  }
  endVersion(contract, call);
}

function stopDecided(args: ContractVersionArgs, call: BuiltInCall): undefined {
  const contract = findExact(args, call);
  requireStarted(contract);
  endVersion(contract, call);
}

function requireStarted({ state }: InstalledContract): void {
  if (state === "frozen") refuseCall("CONTRACTS_FROZEN");
  if (state !== "started") refuseCall("CONTRACTS_NOT_STARTED");
}

function endVersion(contract: InstalledContract, call: BuiltInCall): void {
  const versions = versionsOf(contract.name, call);
  call.state.write(rows.contractVersions(contract.name), { ...versions, started: null });
  save({ ...contract, ...NO_VOTES, state: "stopped" }, call);
}

function versionsOf(name: string, call: BuiltInCall): ContractVersions {
  const versions = call.state.read(rows.contractVersions(name));
  invariant(versions !== null, "an installed version is listed");
  return versions;
}

function runningOf({ name }: ContractNameArgs, call: BuiltInCall): InstalledContract {
  const started = call.state.read(rows.contractVersions(name))?.started ?? null;
  return started === null ? refuseCall("CONTRACTS_NOT_STARTED") : find(name, started, call);
}

/** A regulator alone keeps everybody from a contract, at once, and no vote of admins lifts it. */
function freeze(args: ContractNameArgs, call: BuiltInCall): undefined {
  const contract = runningOf(args, call);
  if (contract.state === "frozen") refuseCall("CONTRACTS_FROZEN");
  save({ ...contract, state: "frozen" }, call);
}

function unfreeze(args: ContractNameArgs, call: BuiltInCall): undefined {
  const contract = runningOf(args, call);
  if (contract.state !== "frozen") refuseCall("CONTRACTS_NOT_FROZEN");
  save({ ...contract, state: "started" }, call);
}

function get({ name, version }: GetContractArgs, call: BuiltInCall): Uint8Array {
  const wanted = version ?? call.state.read(rows.contractVersions(name))?.started ?? null;
  if (wanted === null) refuseCall("CONTRACTS_NOT_INSTALLED");
  return encode(installedContractCodec, find(name, wanted, call));
}

/** A quota counts from the next block on: calls read it as of the block's parent. */
function setQuota({ name, quota }: SetQuotaArgs, call: BuiltInCall): undefined {
  requireKnown(name, call);
  const row = rows.quota(name);
  if (quota === null) {
    call.state.delete(row.contract, row.key);
    return;
  }
  const isValid = [quota.entries, quota.bytes].every((most) => most >= 1 && most <= MAX_QUOTA);
  if (!isValid) refuseCall("CONTRACTS_QUOTA_INVALID");
  call.state.write(row, quota);
}

function usage({ name }: ContractUsageArgs, call: BuiltInCall): Uint8Array {
  requireKnown(name, call);
  const { state } = call;
  return encode(contractUsageCodec, {
    used: readUsage(state, name),
    quota: readQuota(state, name),
  });
}

function requireKnown(name: string, call: BuiltInCall): void {
  if (call.state.read(rows.contractVersions(name)) === null) refuseCall("CONTRACTS_NOT_INSTALLED");
}

function code(args: GetCodeArgs, call: BuiltInCall): Uint8Array {
  const { codeDigest, codeBytes } = find(args.name, args.version, call);
  const bytes = joinCode(codeDigest, codeBytes, (row) => call.state.read(row));
  invariant(bytes !== null, "the code of an installed version is stored");
  return part(bytes, args);
}

function manifest(args: GetCodeArgs, call: BuiltInCall): Uint8Array {
  const bytes = call.state.read(rows.manifest(args.name, args.version));
  return part(bytes ?? refuseCall("CONTRACTS_NOT_INSTALLED"), args);
}

function part(bytes: Uint8Array, { offset, length }: GetCodeArgs): Uint8Array {
  if (length > MAX_CODE_PART_BYTES || offset + length > bytes.length) {
    refuseCall("CONTRACTS_RANGE_INVALID");
  }
  return bytes.slice(offset, offset + length);
}

function listContracts(_: Record<string, never>, call: BuiltInCall): Uint8Array {
  const names = call.state.read(rows.contractNames) ?? [];
  const listed = names.map((name) => {
    const versions = call.state.read(rows.contractVersions(name));
    return { name, versions: versions?.versions ?? [], started: versions?.started ?? null };
  });
  return encode(contractListCodec, listed);
}
