import { createExecutor } from "@credlink/contracts-vm";
import {
  addressFromPublicKey,
  createCertificate,
  createSelfSignedCertificate,
  createSm2Signer,
  publicKeyFromPrivate,
  sm3,
} from "@credlink/crypto";
import {
  type BlockContext,
  BUILT_IN_VERSION,
  defaultGovernance,
  type ExecutableTransaction,
  type Executor,
  type Genesis,
  MEMBERS_CONTRACT,
  type MemberRole,
  memberCodec,
  memberKey,
  NeedsRange,
  type Parameters,
  type Receipt,
  type StateEntry,
  type StateRange,
  type StateView,
  type StateWrite,
  SUCCESS,
} from "@credlink/ledger";
import {
  type Address,
  compareBytes,
  type Digest,
  digest,
  encode,
  type Height,
  height,
  invariant,
  toHex,
  utf8,
} from "@credlink/primitives";
import type { BuiltContract } from "../build/build.ts";

const ZERO: Digest = digest(new Uint8Array(32));
const DAY_MS = 86_400_000;
/** 2026-01-01: tests see the same times on every run. */
const START_MS = Date.UTC(2026, 0, 1);
const BLOCK_MS = 1_000;
/** Gas that a call may use unless it says otherwise. */
export const KIT_GAS_LIMIT = 100_000_000;

const parameters: Parameters = {
  blockGasLimit: 10 * KIT_GAS_LIMIT,
  transactionGasLimit: KIT_GAS_LIMIT,
  maxBlockTransactions: 2_000,
  maxBlockBytes: 4 * 1024 * 1024,
  minBlockIntervalMs: 20,
  emptyBlockIntervalMs: 0,
  precisionMs: 500,
  messageDelayMs: 500,
  contractStateEntries: 2 ** 40,
  contractStateBytes: 2 ** 48,
};

/** A state in memory. */
class LocalState implements StateView {
  readonly digest: Digest = ZERO;
  readonly root: Digest = ZERO;
  readonly height: Height;
  readonly timestampMs: number;
  readonly rows: ReadonlyMap<string, StateEntry>;
  private readonly loaded = new Set<string>();

  constructor(at: number, timestampMs: number, rows: ReadonlyMap<string, StateEntry>) {
    this.height = height(at);
    this.timestampMs = timestampMs;
    this.rows = rows;
  }

  get(contract: string, key: Uint8Array): Uint8Array | null {
    return this.rows.get(rowName(contract, key))?.value ?? null;
  }

  range(range: StateRange): readonly StateEntry[] {
    if (!this.loaded.has(rangeName(range))) throw new NeedsRange(range);
    return this.entries(range.contract)
      .filter(({ key }) => compareBytes(key, range.from) >= 0 && compareBytes(key, range.to) < 0)
      .slice(0, range.limit);
  }

  async loadRange(range: StateRange): Promise<void> {
    this.loaded.add(rangeName(range));
  }

  entries(contract: string): readonly StateEntry[] {
    return [...this.rows]
      .filter(([name]) => name.startsWith(`${contract}/`))
      .map(([, entry]) => entry)
      .sort((a, b) => compareBytes(a.key, b.key));
  }
}

function rowName(contract: string, key: Uint8Array): string {
  return `${contract}/${toHex(key)}`;
}

function rangeName({ contract, from, to, limit }: StateRange): string {
  return `${contract}/${toHex(from)}-${toHex(to)}/${limit}`;
}

/** A call as a test or a developer makes it. */
export interface LocalCall {
  readonly contract: string;
  readonly version: string;
  readonly method: string;
  readonly args: Uint8Array;
  readonly sender: Address;
  readonly coSigners?: readonly Address[];
  /** Default `KIT_GAS_LIMIT`. */
  readonly gasLimit?: number;
}

/**
 * A chain without blocks, consensus and signatures, in this process: the node's own executor over a
 * state in memory. Members of any role are there as soon as they are named.
 */
export class LocalChain {
  private readonly executor: Executor;
  private state: LocalState;
  private count = 0;

  private constructor(executor: Executor, state: LocalState) {
    this.executor = executor;
    this.state = state;
  }

  /** A chain whose genesis has these contracts, installed and started. */
  static async open(contracts: readonly BuiltContract[]): Promise<LocalChain> {
    const executor = createExecutor();
    const genesis = await createGenesis(contracts);
    const rows = withWrites(new Map(), executor.genesis(genesis));
    return new LocalChain(executor, new LocalState(0, START_MS, rows));
  }

  /** Another chain that stands where this one stands. */
  fork(): LocalChain {
    const { rows, height: at, timestampMs } = this.state;
    return new LocalChain(this.executor, new LocalState(at, timestampMs, rows));
  }

  /** A member of a role, the same for the same role and name. */
  member(role: MemberRole, name: string, organization = "local"): Address {
    const { publicKey, address } = keyOf(`${organization}/${role}/${name}`);
    const value = encode(memberCodec, {
      address,
      organization,
      role,
      status: "active",
      keys: [{ fromHeight: height(0), publicKey }],
      certificateDigest: null,
      enrolledBy: null,
      validFromMs: 0,
      validToMs: START_MS + 10_000 * DAY_MS,
    });
    this.put(MEMBERS_CONTRACT, memberKey(address), value);
    return address;
  }

  /** Puts a row of a contract's state in place, as if it had always stood there. */
  put(contract: string, key: Uint8Array, value: Uint8Array): void {
    const { height: at, timestampMs, rows } = this.state;
    const next = withWrites(rows, [{ contract, key, value }]);
    this.state = new LocalState(at, timestampMs, next);
  }

  /** Lets the next block's time be later. */
  advance(milliseconds: number): void {
    const { height: at, timestampMs, rows } = this.state;
    this.state = new LocalState(at, timestampMs + milliseconds, rows);
  }

  /** State of a contract, by ascending key. */
  entries(contract: string): readonly StateEntry[] {
    return this.state.entries(contract);
  }

  /** State and block that the next call would see. */
  get next(): { readonly view: StateView; readonly context: BlockContext } {
    return { view: this.state, context: this.context() };
  }

  private context(): BlockContext {
    return {
      chainId: "local",
      genesisDigest: ZERO,
      height: height(this.state.height + 1),
      timestampMs: this.state.timestampMs + BLOCK_MS,
      ancestorDigest: () => null,
    };
  }

  /** Runs a transaction in a block of its own. */
  async run(call: LocalCall): Promise<Receipt> {
    const context = {
      ...this.context(),
      turn: { primary: "local", proposer: "local", validatorCount: 1 },
    };
    const result = await this.executor.execute(this.state, context, [this.transaction(call)]);
    const [receipt] = result.receipts;
    invariant(receipt !== undefined, "a transaction has a receipt");
    const rows = withWrites(this.state.rows, result.writes);
    this.state = new LocalState(context.height, context.timestampMs, rows);
    return receipt;
  }

  /** Runs a read-only call; nothing is kept. */
  query(call: LocalCall): Promise<Receipt> {
    return this.executor.query(this.state, this.context(), this.transaction(call));
  }

  private transaction(call: LocalCall): ExecutableTransaction {
    const { contract, version, method, args, sender, coSigners = [] } = call;
    const others = [...coSigners].sort(compareBytes);
    return {
      id: digest(sm3(utf8(`local/${this.count++}`))),
      sender,
      signers: [sender, ...others],
      contract,
      contractVersion: version,
      method,
      args,
      gasLimit: call.gasLimit ?? KIT_GAS_LIMIT,
    };
  }
}

export { BUILT_IN_VERSION, SUCCESS };

function withWrites(
  rows: ReadonlyMap<string, StateEntry>,
  writes: readonly StateWrite[],
): ReadonlyMap<string, StateEntry> {
  const next = new Map(rows);
  for (const { contract, key, value } of writes) {
    if (value === null) next.delete(rowName(contract, key));
    else next.set(rowName(contract, key), { key, value });
  }
  return next;
}

/** The key pair of a name: nobody's outside the kit, so that it may be made from a text. */
function keyOf(name: string) {
  const privateKey = sm3(utf8(`credlink/contract-kit/${name}`));
  // Below the group order for certain.
  privateKey[0] = 0x11;
  const publicKey = publicKeyFromPrivate(privateKey);
  return { privateKey, publicKey, address: addressFromPublicKey(publicKey) };
}

async function createGenesis(contracts: readonly BuiltContract[]): Promise<Genesis> {
  const root = createSm2Signer(keyOf("root").privateKey);
  const authority = keyOf("authority");
  const node = keyOf("node");
  const validity = { notBeforeMs: START_MS - DAY_MS, notAfterMs: START_MS + 3_650 * DAY_MS };
  const rootCertificate = await createSelfSignedCertificate({
    ...validity,
    subject: { commonName: "root", organization: "local", organizationalUnit: "ca" },
    authority: { pathLength: 1 },
    signer: root,
  });
  const authorityCertificate = await createCertificate({
    ...validity,
    subject: { commonName: "local CA", organization: "local", organizationalUnit: "ca" },
    subjectKey: authority.publicKey,
    authority: { pathLength: 0 },
    issuer: rootCertificate,
    signer: root,
  });
  const nodeCertificate = await createCertificate({
    subject: { commonName: "node", organization: "local", organizationalUnit: "validator" },
    subjectKey: node.publicKey,
    notBeforeMs: validity.notBeforeMs,
    notAfterMs: START_MS + 700 * DAY_MS,
    issuer: authorityCertificate,
    signer: createSm2Signer(authority.privateKey),
  });
  return {
    version: 1,
    chainId: "local",
    timestampMs: START_MS,
    production: false,
    allowNonByzantine: true,
    consensus: "solo",
    roots: [rootCertificate.der],
    organizations: [{ name: "local", authorityCertificate: authorityCertificate.der }],
    members: [{ certificate: nodeCertificate.der }],
    validators: [{ nodeId: "node", publicKey: node.publicKey, peerId: "local" }],
    parameters,
    governance: defaultGovernance(["local"]),
    contracts: contracts.map(({ name, version, code, manifest }) => ({
      name,
      version,
      code,
      manifest,
    })),
  };
}
