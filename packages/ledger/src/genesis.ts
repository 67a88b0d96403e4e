import type { Validator } from "@credlink/consensus-pbft";
import {
  bool,
  bytes,
  bytesUpTo,
  type Codec,
  invariant,
  list,
  mapCodec,
  oneOf,
  struct,
  text,
  u32,
  u53,
  versioned,
} from "@credlink/primitives";
import { type GovernanceRules, governanceRulesCodec } from "./governance.ts";

/** Consensus-critical parameters: equal on all nodes, changed on chain only. */
export interface Parameters {
  readonly blockGasLimit: number;
  readonly transactionGasLimit: number;
  readonly maxBlockTransactions: number;
  readonly maxBlockBytes: number;
  readonly minBlockIntervalMs: number;
  /** 0 = empty blocks off. */
  readonly emptyBlockIntervalMs: number;
  /** Bounds of a fresh proposal's timestamp against the local clock. */
  readonly precisionMs: number;
  readonly messageDelayMs: number;
  /** Keys, and bytes of keys and values, that one contract may hold; governance gives some more. */
  readonly contractStateEntries: number;
  readonly contractStateBytes: number;
}

export const parametersCodec: Codec<Parameters> = struct({
  blockGasLimit: u53,
  transactionGasLimit: u53,
  maxBlockTransactions: u32,
  maxBlockBytes: u32,
  minBlockIntervalMs: u32,
  emptyBlockIntervalMs: u32,
  precisionMs: u32,
  messageDelayMs: u32,
  contractStateEntries: u53,
  contractStateBytes: u53,
});

/** An organisation and the certificate authority that signs its nodes and users. */
export interface GenesisOrganization {
  readonly name: string;
  /** DER of the organisation CA's certificate, signed by one of `roots`. */
  readonly authorityCertificate: Uint8Array;
}

/** A member that exists from the first block on. */
export interface GenesisMember {
  /** DER of the certificate: role, organisation and key are read from it. */
  readonly certificate: Uint8Array;
}

export interface GenesisContract {
  readonly name: string;
  readonly version: string;
  /** WebAssembly module as deployed. */
  readonly code: Uint8Array;
  /** Canonical bytes of the manifest (docs/protocol/contracts.md). */
  readonly manifest: Uint8Array;
}

/** How blocks are decided: by PBFT, or at once by the one validator of a development chain. */
export const consensusModes = ["pbft", "solo"] as const;
export type ConsensusMode = (typeof consensusModes)[number];

/** How connections between nodes are encrypted: libp2p's noise, or SM2 with SM4-GCM and SM3. */
export const transportNames = ["noise", "gm"] as const;
export type TransportName = (typeof transportNames)[number];

/** What all nodes agree on before the first block; its digest names the chain. */
export interface Genesis {
  /** 1, or 2 where `transport` is named. */
  readonly version: number;
  readonly chainId: string;
  readonly timestampMs: number;
  /** Production chains refuse development conveniences. */
  readonly production: boolean;
  /** Permits fewer than four validators, which tolerate no fault. */
  readonly allowNonByzantine: boolean;
  /** "solo": exactly one validator for good; refused together with `production`. */
  readonly consensus: ConsensusMode;
  /** DER of the consortium roots' certificates. */
  readonly roots: readonly Uint8Array[];
  readonly organizations: readonly GenesisOrganization[];
  readonly members: readonly GenesisMember[];
  /** V(1) = V(2), each with the node certificate that stands behind it in `members`. */
  readonly validators: readonly Validator[];
  readonly parameters: Parameters;
  /** Who decides on the chain, and by which rules. */
  readonly governance: GovernanceRules;
  readonly contracts: readonly GenesisContract[];
  /** From version 2 on; version 1 means noise. Ask `transportOf`. */
  readonly transport?: TransportName;
}

/** How the nodes of a chain encrypt their connections. */
export function transportOf(genesis: Pick<Genesis, "transport">): TransportName {
  return genesis.transport ?? "noise";
}

const firstFields = {
  version: u32,
  chainId: text(64),
  timestampMs: u53,
  production: bool,
  allowNonByzantine: bool,
  consensus: oneOf(...consensusModes),
  roots: list(bytesUpTo(8 * 1024), 16),
  organizations: list(struct({ name: text(64), authorityCertificate: bytesUpTo(8 * 1024) }), 256),
  members: list(struct({ certificate: bytesUpTo(8 * 1024) }), 1_024),
  validators: list(struct({ nodeId: text(64), publicKey: bytes(65), peerId: text(128) }), 128),
  parameters: parametersCodec,
  governance: governanceRulesCodec,
  contracts: list(
    struct({
      name: text(64),
      version: text(32),
      code: bytesUpTo(1024 * 1024),
      manifest: bytesUpTo(64 * 1024),
    }),
    64,
  ),
};

/** Version 2 adds the transport at the end; version 1 keeps its bytes and digests. */
const versions: Codec<Genesis> = versioned<Genesis>({
  1: struct<Genesis>(firstFields),
  2: struct<Genesis>({ ...firstFields, transport: oneOf(...transportNames) }),
});

export const genesisCodec: Codec<Genesis> = mapCodec(
  versions,
  (genesis: Genesis) => genesis,
  (genesis: Genesis) => {
    invariant(
      genesis.version !== 1 || genesis.transport === undefined,
      "version 1 has no transport",
    );
    return genesis;
  },
);
