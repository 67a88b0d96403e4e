import {
  addressFromPublicKey,
  type Certificate,
  parseCertificate,
  verifyAuthorityChain,
  verifyCertificateChain,
} from "@credlink/crypto";
import type {
  Genesis,
  GenesisContract,
  Member,
  StateEntry,
  StateRange,
  StateWrite,
} from "@credlink/ledger";
import { encode, equalBytes, height, toHex } from "@credlink/primitives";
import { VmError } from "../errors.ts";
import { GAS_SCHEDULE } from "../gas-schedule.ts";
import { StateOverlay, type StateReader } from "../state-overlay.ts";
import { memberOf } from "./certificates.ts";
import { codeChunks, isDeployableName, judgeDeployment } from "./contract-code.ts";
import { rulesProblem } from "./governance-rules.ts";
import { parametersProblem } from "./parameters.ts";
import type { Row } from "./row.ts";
import { type Organization, rows } from "./rows.ts";
import { MIN_VALIDATORS } from "./validators.ts";

const EMPTY: StateReader = {
  get: () => null,
  range: (_range: StateRange): readonly StateEntry[] => [],
};

const GENESIS_HEIGHT = height(0);

function invalid(text: string): VmError {
  return new VmError("VM_GENESIS_INVALID", text);
}

/** Collects the rows of height 0. */
class GenesisState {
  readonly overlay = new StateOverlay(EMPTY);

  put<T>(row: Row<T>, value: T): void {
    this.overlay.set(row.contract, row.key, encode(row.codec, value));
  }

  has<T>(row: Row<T>): boolean {
    return this.overlay.get(row.contract, row.key) !== null;
  }
}

/**
 * The state of height 0: organisations, members, validators, parameters, the rules of governance and
 * contracts, the last installed, approved by all and started.
 * @throws VmError VM_GENESIS_INVALID naming what does not hold together.
 */
export function genesisState(genesis: Genesis): readonly StateWrite[] {
  const state = new GenesisState();
  const roots = genesis.roots.map((der) => readCertificate(der, "a root"));
  if (roots.length === 0) throw invalid("no root");
  state.put(rows.roots, genesis.roots);
  const organizations = genesis.organizations.map(({ name, authorityCertificate }) => {
    const authority = readCertificate(authorityCertificate, `the CA of ${name}`);
    const verified = verifyAuthorityChain({
      authority,
      ...chainContext(genesis, roots, [], authority),
    });
    if (!verified.ok) throw invalid(`the CA of ${name}: ${verified.code}`);
    if (verified.value.organization !== name) throw invalid(`the CA of ${name} names another`);
    const certificateDigest = authority.fingerprint;
    const organization = { name, authorityCertificate, certificateDigest, revocationListMs: 0 };
    if (state.has(rows.organization(name))) throw invalid(`organisation ${name} twice`);
    state.put(rows.organization(name), organization);
    return { organization, authority };
  });
  const names = organizations.map(({ organization }) => organization.name);
  state.put(rows.organizationNames, names);
  for (const { certificate } of genesis.members) {
    addMember(state, genesis, roots, organizations, certificate);
  }
  addValidators(state, genesis);
  const problem = parametersProblem(genesis.parameters);
  if (problem !== null) throw invalid(`parameter ${problem}`);
  state.put(rows.parameters, genesis.parameters);
  const rulesError = rulesProblem(genesis.governance, names);
  if (rulesError !== null) throw invalid(`governance ${rulesError}`);
  state.put(rows.governanceRules, genesis.governance);
  addContracts(state, genesis.contracts, names);
  return state.overlay.writes();
}

interface KnownOrganization {
  readonly organization: Organization;
  readonly authority: Certificate;
}

function readCertificate(der: Uint8Array, what: string): Certificate {
  const parsed = parseCertificate(der);
  if (!parsed.ok) throw invalid(`${what}: ${parsed.code}`);
  return parsed.value;
}

/** Certificates count from genesis on, or from their own start if that comes later. */
function chainContext(
  genesis: Genesis,
  roots: readonly Certificate[],
  intermediates: readonly Certificate[],
  leaf: Certificate,
) {
  const starts = [leaf, ...intermediates, ...roots].map(({ notBeforeMs }) => notBeforeMs);
  const atMs = Math.max(genesis.timestampMs, ...starts);
  return { roots, intermediates, revocationLists: [], atMs };
}

function addMember(
  state: GenesisState,
  genesis: Genesis,
  roots: readonly Certificate[],
  organizations: readonly KnownOrganization[],
  der: Uint8Array,
): void {
  const leaf = readCertificate(der, "a member");
  const name = leaf.subject.commonName;
  const known = organizations.find(
    ({ organization }) => organization.name === leaf.subject.organization,
  );
  if (known === undefined) throw invalid(`member ${name} is of no organisation of genesis`);
  const { organization, authority } = known;
  const verified = verifyCertificateChain({
    leaf,
    ...chainContext(genesis, roots, [authority], leaf),
  });
  if (!verified.ok) throw invalid(`member ${name}: ${verified.code}`);
  const issuer = verified.value.chain[1];
  if (issuer === undefined || !equalBytes(issuer.der, authority.der)) {
    throw invalid(`member ${name} is not certified by its organisation's CA`);
  }
  const address = addressFromPublicKey(leaf.subjectKey);
  const member: Member = memberOf(
    { certificate: leaf, organization, role: verified.value.role },
    { address, enrolledBy: null, fromHeight: GENESIS_HEIGHT },
  );
  const serial = rows.serial(organization.name, leaf.serialNumber);
  if (state.has(rows.member(address)) || state.has(serial)) throw invalid(`member ${name} twice`);
  state.put(rows.member(address), member);
  state.put(serial, { address, certificateDigest: leaf.fingerprint });
}

function addValidators(state: GenesisState, genesis: Genesis): void {
  const { validators, allowNonByzantine, consensus } = genesis;
  const isSolo = consensus === "solo";
  if (isSolo && genesis.production) throw invalid("a production chain is never solo");
  if (isSolo && validators.length !== 1) throw invalid("a solo chain has one validator");
  if (validators.length < (allowNonByzantine || isSolo ? 1 : MIN_VALIDATORS)) {
    throw invalid(`${validators.length} validators`);
  }
  if (genesis.production && allowNonByzantine) {
    throw invalid("a production chain needs at least four validators");
  }
  for (const unique of ["nodeId", "peerId"] as const) {
    const values = new Set(validators.map((validator) => validator[unique]));
    if (values.size !== validators.length) throw invalid(`a validator's ${unique} twice`);
  }
  if (new Set(validators.map(({ publicKey }) => toHex(publicKey))).size !== validators.length) {
    throw invalid("a validator's key twice");
  }
  for (const { nodeId, publicKey } of validators) {
    const isMember = state.has(rows.member(addressFromPublicKey(publicKey)));
    if (!isMember) throw invalid(`validator ${nodeId} has no certificate among the members`);
  }
  state.put(rows.validators, {
    validators,
    allowNonByzantine,
    consensus,
    changedAt: GENESIS_HEIGHT,
    changesLeft: 0,
  });
}

function addContracts(
  state: GenesisState,
  contracts: readonly GenesisContract[],
  approvals: readonly string[],
): void {
  for (const contract of contracts) {
    const { name, version, code, manifest } = contract;
    const label = `contract ${name} ${version}`;
    if (!isDeployableName(name, version)) throw invalid(`${label}: name`);
    if (state.has(rows.contractVersions(name))) throw invalid(`${label}: installed twice`);
    const judged = judgeDeployment(contract);
    if (!judged.ok) throw invalid(`${label}: ${judged.code} ${judged.detail ?? ""}`);
    const { codeDigest, manifestDigest } = judged.value;
    for (const [index, chunk] of codeChunks(code).entries()) {
      state.put(rows.code(codeDigest, index), chunk);
    }
    state.put(rows.manifest(name, version), manifest);
    state.put(rows.contractVersions(name), { versions: [version], started: version });
    state.put(rows.installed(name, version), {
      name,
      version,
      codeDigest,
      codeBytes: code.length,
      manifestDigest,
      gasSchedule: GAS_SCHEDULE,
      state: "started",
      approvals,
      stopVotes: [],
      installedBy: null,
      installedAt: GENESIS_HEIGHT,
    });
  }
  state.put(
    rows.contractNames,
    contracts.map(({ name }) => name),
  );
}
