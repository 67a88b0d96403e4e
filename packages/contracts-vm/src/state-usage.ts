import type { StateUsage } from "@credlink/ledger";
import { invariant } from "@credlink/primitives";
import { readRow } from "./built-in/row.ts";
import { rows } from "./built-in/rows.ts";

/** Where usage and quotas are read: the state before the block. */
interface Rows {
  get(contract: string, key: Uint8Array): Uint8Array | null;
}

const NOTHING_USED: StateUsage = { entries: 0, bytes: 0 };

/** What a contract's state came to. */
export function readUsage(state: Rows, contract: string): StateUsage {
  return readRow(state, rows.usage(contract)) ?? NOTHING_USED;
}

/** What a contract's state may come to. */
export function readQuota(state: Rows, contract: string): StateUsage {
  const quota = readRow(state, rows.quota(contract));
  if (quota !== null) return quota;
  const parameters = readRow(state, rows.parameters);
  invariant(parameters !== null, "genesis wrote the parameters");
  return { entries: parameters.contractStateEntries, bytes: parameters.contractStateBytes };
}

/** The usage once a key's value is changed from `before` to `after`; null: it is not there. */
export function usageAfter(
  usage: StateUsage,
  key: Uint8Array,
  before: Uint8Array | null,
  after: Uint8Array | null,
): StateUsage {
  const sizeOf = (value: Uint8Array | null) => (value === null ? 0 : key.length + value.length);
  const changed = {
    entries: usage.entries + Number(after !== null) - Number(before !== null),
    bytes: usage.bytes + sizeOf(after) - sizeOf(before),
  };
  invariant(changed.entries >= 0 && changed.bytes >= 0, "what is deleted was counted");
  return changed;
}

/** Whether a change grows what is above the quota: what shrinks it is always allowed. */
export function isOverQuota(before: StateUsage, after: StateUsage, quota: StateUsage): boolean {
  return (
    (after.entries > quota.entries && after.entries > before.entries) ||
    (after.bytes > quota.bytes && after.bytes > before.bytes)
  );
}
