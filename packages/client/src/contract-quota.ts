import {
  contractQuotaKey,
  contractUsageKey,
  contractVersionsKey,
  parametersKey,
} from "@credlink/contracts-vm/formats";
import {
  BUILT_IN_VERSION,
  CONTRACTS_CONTRACT,
  PARAMETERS_CONTRACT,
  parametersCodec,
  type SetQuotaArgs,
  type StateUsage,
  setQuotaArgsCodec,
  stateUsageCodec,
} from "@credlink/ledger";
import { encode } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { clientError } from "./errors.ts";
import { decodeClaim, type VerifiedHeader } from "./header-claims.ts";
import type { CommittedTransaction } from "./records.ts";
import type { Identity } from "./session.ts";

const QUOTA_GAS = 2_000_000;

/** What a contract's state holds and may hold, under one certified head. */
export interface ProvenQuota {
  readonly used: StateUsage;
  readonly quota: StateUsage;
  /** Whether governance set it for this contract; else it is what the parameters say for all. */
  readonly isOwn: boolean;
  readonly header: VerifiedHeader;
}

/** @throws ClientError CLIENT_CONTRACT_UNKNOWN */
export async function getContractQuota(client: Client, name: string): Promise<ProvenQuota> {
  const { values, header } = await client.getStates([
    { contract: CONTRACTS_CONTRACT, key: contractVersionsKey(name) },
    { contract: CONTRACTS_CONTRACT, key: contractUsageKey(name) },
    { contract: CONTRACTS_CONTRACT, key: contractQuotaKey(name) },
    { contract: PARAMETERS_CONTRACT, key: parametersKey() },
  ]);
  const [versions, usage, own, parameters] = values.map(({ value }) => value ?? null);
  if (versions === null || versions === undefined) {
    throw clientError("CLIENT_CONTRACT_UNKNOWN", `no contract ${name}`);
  }
  const read = (value: Uint8Array | null | undefined): StateUsage | null =>
    value === null || value === undefined ? null : decodeClaim(stateUsageCodec, value, "usage");
  const ownQuota = read(own);
  const used = read(usage) ?? { entries: 0, bytes: 0 };
  const quota = ownQuota ?? commonQuota(parameters ?? null);
  return { used, quota, isOwn: ownQuota !== null, header };
}

function commonQuota(parameters: Uint8Array | null): StateUsage {
  if (parameters === null) throw clientError("CLIENT_RECORD_ALTERED", "a chain has parameters");
  const { contractStateEntries, contractStateBytes } = decodeClaim(
    parametersCodec,
    parameters,
    "parameters",
  );
  return { entries: contractStateEntries, bytes: contractStateBytes };
}

/**
 * Permits a contract that much state from the next block on; null: what the parameters say again.
 * Sender and co-signers must be admins of more than half of the organisations.
 */
export function setContractQuota(
  client: Client,
  args: SetQuotaArgs,
  coSigners: readonly Identity[],
): Promise<CommittedTransaction> {
  return client.execute({
    contract: CONTRACTS_CONTRACT,
    version: BUILT_IN_VERSION,
    method: "setQuota",
    args: encode(setQuotaArgsCodec, args),
    gasLimit: QUOTA_GAS,
    coSigners,
  });
}
