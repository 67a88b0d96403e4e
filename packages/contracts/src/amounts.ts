import {
  BLINDING_BYTES,
  drawBlindingFactor,
  pedersenCommit,
  sumBlindingFactors,
} from "@credlink/crypto";
import { accept, equalBytes, type Result, refuse } from "@credlink/primitives";
import type { CredentialRelation, CredentialType } from "./credential-types.ts";
import { ContractsError } from "./errors.ts";
import type { Payload } from "./payload.ts";

/** What an amount commitment is opened with; a secret of those who hold the payload. */
export interface AmountOpening {
  /** Whole fen, 0 to 2^53 − 1. */
  readonly value: bigint;
  /** 32 bytes, below the order of the curve. */
  readonly blinding: Uint8Array;
}

/** Greatest amount that anybody accepts: the chain cannot see a value's size. */
export const MAX_AMOUNT_FEN: bigint = 2n ** 53n - 1n;

/**
 * The amounts of each type, by the paths of their payload fields, in the record's order. An
 * absent optional field is an amount of nothing.
 */
export const amountPaths: Readonly<Record<CredentialType, readonly string[]>> = {
  "identity.institution": [],
  "identity.enterprise": [],
  "identity.individual": [],
  "contract.framework": [],
  "contract.service": [],
  "transaction.task": [],
  "transaction.acceptance": ["amount"],
  "transaction.settlement": ["gross", "serviceFee", "taxWithheld", "net"],
  "transaction.payment": ["amount"],
  "bill.invoice": ["total", "amountExcludingTax", "tax"],
  "bill.red-invoice": ["total"],
  "bill.tax": ["base", "amount"],
  "bill.insurance": ["premium"],
  "risk.assessment": [],
  "risk.alert": [],
  "risk.action": [],
  "risk.report": [],
  "arbitration.case": [],
  "arbitration.verdict": [],
  "grant.access": [],
};

/** Which amount of each parent sums up to a type's first amount. */
const summed: Partial<Record<CredentialType, number>> = {
  "transaction.settlement": 0,
  "transaction.payment": 3,
  "bill.invoice": 0,
  "bill.red-invoice": 0,
  "bill.tax": 0,
};

const summedRelations: readonly CredentialRelation[] = [
  "settles",
  "pays",
  "invoices",
  "reverses",
  "withholds",
];

/** Whether parents in this relation are what a credential's first amount is the sum of. */
export function isSummed(relation: CredentialRelation): boolean {
  return summedRelations.includes(relation);
}

/** Types whose first amount is the sum of their others. */
const splitTypes: readonly CredentialType[] = ["transaction.settlement", "bill.invoice"];

function demandRange(value: bigint | null): bigint {
  if (value !== null && value >= 0n && value <= MAX_AMOUNT_FEN) return value;
  throw new ContractsError({ code: "CONTRACTS_AMOUNT_RANGE" }, "an amount is 0 to 2^53 - 1 fen");
}

/**
 * The commitment that stands in the record: a point as x ‖ y, 64 bytes.
 * @throws ContractsError CONTRACTS_AMOUNT_RANGE; CryptoError CRYPTO_BLINDING_INVALID
 */
export function commitAmount({ value, blinding }: AmountOpening): Uint8Array {
  return pedersenCommit(demandRange(value), blinding);
}

/** The blinding factor of a sum, or of what is left of one: Σ plus − Σ minus. */
export function sumBlinding(
  plus: readonly AmountOpening[],
  minus: readonly AmountOpening[] = [],
): Uint8Array {
  const blindings = (openings: readonly AmountOpening[]) => openings.map((each) => each.blinding);
  return sumBlindingFactors(blindings(plus), blindings(minus));
}

/** The amount behind a commitment, if the opening is its own and the amount in range. */
export function openAmount(
  commitment: Uint8Array,
  opening: AmountOpening,
): Result<bigint, "CONTRACTS_AMOUNT_RANGE" | "CONTRACTS_AMOUNT_MISMATCH"> {
  const { value, blinding } = opening;
  if (value < 0n || value > MAX_AMOUNT_FEN) return refuse("CONTRACTS_AMOUNT_RANGE");
  if (blinding.length !== BLINDING_BYTES) return refuse("CONTRACTS_AMOUNT_MISMATCH");
  try {
    return equalBytes(pedersenCommit(value, blinding), commitment)
      ? accept(value)
      : refuse("CONTRACTS_AMOUNT_MISMATCH");
  } catch {
    return refuse("CONTRACTS_AMOUNT_MISMATCH", "not a blinding factor");
  }
}

/** What the payload says: 0 where the field is absent, null where it is no integer on the wire. */
function amountOf(payload: Payload, path: string): bigint | null {
  const value = payload[path];
  if (value === undefined) return 0n;
  return typeof value === "bigint" ? value : null;
}

/** Opens every amount of a record and holds it to the payload's field. */
export function verifyAmounts(
  type: CredentialType,
  payload: Payload,
  openings: readonly AmountOpening[],
  amounts: readonly Uint8Array[],
): Result<true, "CONTRACTS_AMOUNT_RANGE" | "CONTRACTS_AMOUNT_MISMATCH"> {
  const paths = amountPaths[type];
  if (openings.length !== paths.length || amounts.length !== paths.length) {
    return refuse("CONTRACTS_AMOUNT_MISMATCH", "another number of amounts");
  }
  for (const [i, path] of paths.entries()) {
    const [amount, opening] = [amounts[i], openings[i]];
    if (amount === undefined || opening === undefined) continue;
    const opened = openAmount(amount, opening);
    if (!opened.ok) return refuse(opened.code, path);
    if (opened.value !== amountOf(payload, path)) return refuse("CONTRACTS_AMOUNT_MISMATCH", path);
  }
  return accept(true);
}

/**
 * Openings of a new record, so that the sums work out which the contract checks: blinding factors
 * are drawn where they are free, and computed where an equation fixes them.
 *
 * @param parents openings of the parents that are summed, in any order.
 * @param random gives that many random bytes.
 * @throws ContractsError CONTRACTS_AMOUNT_RANGE; CONTRACTS_AMOUNT_PARENT when a parent has no
 *   such amount.
 */
export function createOpenings(
  type: CredentialType,
  payload: Payload,
  parents: readonly (readonly AmountOpening[])[],
  random: (length: number) => Uint8Array,
): readonly AmountOpening[] {
  const values = amountPaths[type].map((path) => demandRange(amountOf(payload, path)));
  const drawn = values.map((value) => ({ value, blinding: drawBlindingFactor(random) }));
  const [first, ...others] = drawn;
  const place = summed[type];
  if (first === undefined || place === undefined) return drawn;
  const whole = { value: first.value, blinding: sumBlinding(parents.map(at(place))) };
  const last = others.at(-1);
  if (last === undefined || !splitTypes.includes(type)) return [whole, ...others];
  const free = others.slice(0, -1);
  return [whole, ...free, { value: last.value, blinding: sumBlinding([whole], free) }];
}

function at(place: number): (openings: readonly AmountOpening[]) => AmountOpening {
  return (openings) => {
    const opening = openings[place];
    if (opening !== undefined) return opening;
    throw new ContractsError({ code: "CONTRACTS_AMOUNT_PARENT" }, "a parent's amount is not open");
  };
}
