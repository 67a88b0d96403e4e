import {
  type ConsensusMode,
  consensusModes,
  type Parameters,
  type TransportName,
  transportNames,
} from "@credlink/ledger";
import { CliError } from "../errors.ts";

/** A node to be made. */
export interface PlannedNode {
  readonly name: string;
  readonly role: "validator" | "observer" | "regulator-node";
  readonly organization: string;
  /** A validator that is enrolled and follows, but is not in the first list of validators. */
  readonly isStandby?: boolean;
}

/** What a network is made of. */
export interface NetworkPlan {
  readonly chainId: string;
  /** Organisations, each with a CA and an admin. */
  readonly organizations: readonly string[];
  readonly nodes: readonly PlannedNode[];
  readonly parameters: Parameters;
  /** First port; undefined: any free ones. */
  readonly basePort?: number;
  /** One machine or container per node: found by its name, the same ports on each. */
  readonly containers: boolean;
  /** Whether governance may go below four validators, which tolerate no fault. */
  readonly allowNonByzantine: boolean;
  readonly consensus: ConsensusMode;
  /** How all its nodes encrypt their connections, for good. */
  readonly transport: TransportName;
}

/** Fewest organisations, so that majorities of them mean something. */
const MIN_ORGANIZATIONS = 4;
const MAX_NODES = 100;

/**
 * Parameters of a new chain. A full block of credentials must execute within half of the first
 * view timeout of 2 s, on a machine of two cores that four nodes share: that is what bounds a
 * block's transactions and gas. 64 enrolments fit into one transaction.
 */
export const defaultParameters: Parameters = {
  blockGasLimit: 500_000_000,
  transactionGasLimit: 100_000_000,
  maxBlockTransactions: 250,
  maxBlockBytes: 4 * 1024 * 1024,
  minBlockIntervalMs: 20,
  emptyBlockIntervalMs: 0,
  precisionMs: 500,
  // A proposal's time is chosen before it is executed, on machines that several nodes share.
  messageDelayMs: 3_000,
  // Some fifteen million credentials; governance gives a contract more where it needs more.
  contractStateEntries: 50_000_000,
  contractStateBytes: 16 * 1024 ** 3,
};

/** What the command line says of a new network. */
export interface PlanOptions {
  readonly validators: number;
  readonly observers?: number;
  /** Nodes that are enrolled as validators and follow until governance adds them. */
  readonly standbys?: number;
  /** Permits fewer than four validators later on; one validator always does. */
  readonly allowNonByzantine?: boolean;
  /** Default pbft; "solo" is for development: one validator, for good. */
  readonly consensus?: string;
  /** Default noise; "gm" is SM2, SM4-GCM and SM3. */
  readonly transport?: string;
  readonly chainId?: string;
  readonly basePort?: number;
  readonly containers?: boolean;
  /** Names of the organisations; default `org-1` …, at least four. */
  readonly organizations?: readonly string[];
  /** Role of the observers; default `observer`. */
  readonly observerRole?: "observer" | "regulator-node";
  /** Organisation of the observers; default spread like the validators. */
  readonly observerOrganization?: string;
  readonly parameters?: Partial<Parameters>;
}

/**
 * Lays out a network: one organisation per validator and at least four, nodes spread over them.
 * @throws CliError CLI_NETWORK_SIZE, CLI_OPTIONS_CONFLICT
 */
export function planNetwork(options: PlanOptions): NetworkPlan {
  const { validators, observers = 0, standbys = 0, chainId = "credlink-dev" } = options;
  if (!isSize(validators) || !(validators === 1 || validators >= 4)) {
    throw new CliError("CLI_NETWORK_SIZE", `${validators} validators`);
  }
  const mode = choose("--consensus", consensusModes, options.consensus ?? "pbft");
  const transport = choose("--transport", transportNames, options.transport ?? "noise");
  if (mode === "solo" && (validators !== 1 || standbys > 0)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "--consensus solo has exactly one validator");
  }
  if (!(observers === 0 || isSize(observers))) {
    throw new CliError("CLI_NETWORK_SIZE", `${observers} observers`);
  }
  if (!(standbys === 0 || isSize(standbys))) {
    throw new CliError("CLI_NETWORK_SIZE", `${standbys} standbys`);
  }
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(chainId)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "a chain id is 1 to 63 of a-z, 0-9 and -");
  }
  checkPorts(options.basePort ?? 0, 2 * (validators + standbys + observers));
  const organizations =
    options.organizations ?? names("org", Math.max(MIN_ORGANIZATIONS, validators));
  const home = (index: number): string => organizations[index % organizations.length] ?? "org-1";
  const nodes: PlannedNode[] = [
    ...names("node", validators + standbys).map((name, index) => ({
      name,
      role: "validator" as const,
      organization: home(index),
      isStandby: index >= validators,
    })),
    ...names("observer", observers).map((name, index) => ({
      name,
      role: options.observerRole ?? ("observer" as const),
      organization: options.observerOrganization ?? home(validators + standbys + index),
    })),
  ];
  return {
    chainId,
    organizations,
    nodes,
    containers: options.containers ?? false,
    allowNonByzantine: options.allowNonByzantine ?? validators < 4,
    consensus: mode,
    transport,
    // Alone there is nobody whose proposals could come too close together.
    parameters: {
      ...defaultParameters,
      ...(mode === "solo" ? { minBlockIntervalMs: 0 } : {}),
      ...options.parameters,
    },
    ...(options.basePort === undefined || options.basePort === 0
      ? {}
      : { basePort: options.basePort }),
  };
}

/** @throws CliError CLI_OPTIONS_CONFLICT */
function choose<T extends string>(option: string, known: readonly T[], given: string): T {
  const found = known.find((each) => each === given);
  if (found !== undefined) return found;
  throw new CliError("CLI_OPTIONS_CONFLICT", `${option} is one of ${known.join(", ")}`);
}

const LAST_PORT = 65_535;

/** @throws CliError CLI_OPTIONS_CONFLICT when not all ports exist; 0 chooses free ones. */
function checkPorts(first: number, count: number): void {
  const last = first + count - 1;
  if (first === 0 || (first > 0 && last <= LAST_PORT)) return;
  const text = `ports ${first} to ${last}: the last one there is is ${LAST_PORT}`;
  throw new CliError("CLI_OPTIONS_CONFLICT", text);
}

function isSize(count: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= MAX_NODES;
}

function names(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}
