import { MAX_STATE_ENTRIES } from "@credlink/api";
import type { Client } from "@credlink/client";
import {
  CREDENTIAL_CONTRACT,
  type CredentialRecord,
  credentialKey,
  type StoredCredential,
  storedCredentialCodec,
  verifyCredentialFile,
} from "@credlink/contracts";
import { isZeroPointSum } from "@credlink/crypto";
import { concatBytes, decode, toHex } from "@credlink/primitives";
import type { CredentialStep } from "../step.ts";

/** The part of a stored credential that checks look at. */
type Stored = Pick<StoredCredential, "record">;

/** Every record as one node holds it, each proven under certified headers; hex of id -> bytes. */
export async function readRecords(
  client: Client,
  records: readonly CredentialRecord[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (let at = 0; at < records.length; at += MAX_STATE_ENTRIES) {
    const part = records.slice(at, at + MAX_STATE_ENTRIES);
    const places = part.map(({ id }) => ({
      contract: CREDENTIAL_CONTRACT,
      key: credentialKey(id),
    }));
    const { values } = await client.getStates(places);
    for (const [place, { id, type }] of part.entries()) {
      const value = values[place]?.value ?? null;
      if (value === null) throw new Error(`${type} ${toHex(id)} is proven absent at ${client.url}`);
      found.set(toHex(id), value);
    }
  }
  return found;
}

/** Reads stored records back. */
export function decodeRecords(
  records: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<string, StoredCredential> {
  return new Map([...records].map(([id, bytes]) => [id, decode(storedCredentialCodec, bytes)]));
}

/** Originals that open what stands on chain: every field, every amount. Throws for one that does not. */
export function checkOriginals(
  steps: readonly CredentialStep[],
  stored: ReadonlyMap<string, Stored>,
): number {
  let checked = 0;
  for (const { record, payload, salts, openings, name } of steps) {
    if (record === null) continue;
    const found = stored.get(toHex(record.id));
    if (found === undefined) throw new Error(`${name} is missing`);
    const verdict = verifyCredentialFile({ record, payload, salts, openings }, found.record);
    if (!verdict.ok) throw new Error(`${name}: ${verdict.code}`);
    checked += 1;
  }
  return checked;
}

/** Points of an equation: those of the first list sum up to those of the second. */
type Equation = readonly [left: readonly Uint8Array[], right: readonly Uint8Array[]];

/**
 * What the commitments on chain must fulfil, by docs/protocol/credentials.md, *Amounts*: nobody
 * needs an amount for it.
 */
function equationsOf(
  { type, amounts, parents }: CredentialRecord,
  amountOf: (id: Uint8Array, place: number) => Uint8Array,
): readonly Equation[] {
  const own = (place: number): Uint8Array => amounts[place] ?? new Uint8Array(0);
  const above = (place: number): readonly Uint8Array[] =>
    parents.map(({ id }) => amountOf(id, place));
  switch (type) {
    case "transaction.settlement":
      return [
        [[own(0)], above(0)],
        [[own(0)], [own(1), own(2), own(3)]],
      ];
    case "transaction.payment":
      return [[[own(0)], above(3)]];
    case "bill.invoice":
      return [
        [[own(0)], above(0)],
        [[own(0)], [own(1), own(2)]],
      ];
    case "bill.red-invoice":
    case "bill.tax":
      return [[[own(0)], above(0)]];
    default:
      return [];
  }
}

/** Proves every sum on the commitments that stand on chain; throws for one that does not hold. */
export function checkSums(stored: ReadonlyMap<string, Stored>): number {
  const amountOf = (id: Uint8Array, place: number): Uint8Array =>
    stored.get(toHex(id))?.record.amounts[place] ?? new Uint8Array(0);
  let checked = 0;
  for (const { record } of stored.values()) {
    for (const [left, right] of equationsOf(record, amountOf)) {
      const holds = isZeroPointSum(concatBytes(...left, ...right), left.length);
      if (holds !== true)
        throw new Error(`${record.type} ${toHex(record.id)}: a sum does not hold`);
      checked += 1;
    }
  }
  return checked;
}
