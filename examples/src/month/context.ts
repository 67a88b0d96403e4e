import {
  type CredentialParent,
  type CredentialRecord,
  type CredentialRelation,
  createIndexEntry,
  type IdentifierKind,
  type IndexEntry,
  type IndexKey,
} from "@credlink/contracts";
import { sm3 } from "@credlink/crypto";
import { type Address, invariant, utf8 } from "@credlink/primitives";
import { makeCreditCode } from "../identifiers.ts";
import { createExampleRandom, type ExampleRandom } from "../random.ts";
import { type ExampleKey, StepBuilder } from "../step.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** An enterprise of the month with its keys and credentials. */
export interface Enterprise {
  readonly index: number;
  readonly creditCode: string;
  readonly identityKey: ExampleKey;
  /** Relation key of the framework contract. */
  readonly frameworkKey: ExampleKey;
  readonly identity: CredentialRecord;
  readonly framework: CredentialRecord;
}

/** A worker's private facts and keys. */
export interface Person {
  readonly index: number;
  readonly name: string;
  readonly identityNumber: string;
  readonly mobile: string;
  readonly card: { readonly number: string; readonly bank: string };
  readonly identityKey: ExampleKey;
  /** Relation key of the service contract. */
  readonly serviceKey: ExampleKey;
}

/** A worker under contract. */
export interface Worker extends Person {
  readonly enterprise: Enterprise;
  readonly identity: CredentialRecord;
  readonly service: CredentialRecord;
}

/** A worker's month of work. */
export interface Work {
  readonly worker: Worker;
  readonly tasks: readonly CredentialRecord[];
  readonly acceptances: readonly CredentialRecord[];
  readonly settlement: CredentialRecord;
  readonly payment: CredentialRecord;
  readonly tax: CredentialRecord;
  readonly insurance: CredentialRecord;
  readonly grossFen: bigint;
  readonly netFen: bigint;
  /** What each acceptance is worth; they sum up to the gross. */
  readonly amountsFen: readonly bigint[];
}

/** What all parts of the generator share. */
export interface MonthContext {
  readonly startMs: number;
  /** The month's name, YYYY-MM. */
  readonly period: string;
  readonly random: ExampleRandom;
  readonly builder: StepBuilder;
  readonly institutionAddress: Address;
  readonly institutionCreditCode: string;
  readonly indexKey: IndexKey;
  /** Decides cases; null: they stay open. */
  readonly regulator: ExampleKey | null;
  /** A fresh relation key, to be registered by the institution before the first step. */
  readonly relationKey: (role: "enterprise" | "individual") => ExampleKey;
}

/** Milliseconds of a day of the month (from 0) and an hour of it. */
export function at(context: MonthContext, day: number, hour: number, minute = 0): number {
  return context.startMs + day * DAY_MS + hour * HOUR_MS + minute * 60_000;
}

export function parent(record: CredentialRecord, relation: CredentialRelation): CredentialParent {
  return { id: record.id, relation };
}

export function index(context: MonthContext, kind: IdentifierKind, identifier: string): IndexEntry {
  return createIndexEntry(context.indexKey, kind, identifier);
}

/** Digest that stands for a scanned document or a signature which the example does not have. */
export function documentDigest(random: ExampleRandom, name: string): Uint8Array {
  return sm3(utf8(`${name}/${random.digits(12)}`));
}

/** The item at a place that must exist. */
export function item<T>(items: readonly T[], place: number): T {
  const found = items[place];
  invariant(found !== undefined, "the place is within the list");
  return found;
}

/** A relation key that the institution registers before the first step that names it. */
export interface RelationKeyToRegister {
  readonly key: ExampleKey;
  readonly role: "enterprise" | "individual";
  readonly validFromMs: number;
  readonly validToMs: number;
}

const KEY_DAYS = 730;

/** Makes what all parts of a generator share; equal seeds, times, addresses and keys: equal steps. */
export function createContext(options: {
  readonly seed: string;
  readonly startMs: number;
  readonly institutionAddress: Address;
  readonly createKey: () => ExampleKey;
  readonly regulator?: ExampleKey;
  readonly onRelationKey: (key: RelationKeyToRegister) => void;
}): MonthContext {
  const { startMs, institutionAddress } = options;
  const random = createExampleRandom(options.seed);
  return {
    startMs,
    period: new Date(startMs).toISOString().slice(0, 7),
    random,
    builder: new StepBuilder(random, institutionAddress),
    institutionAddress,
    institutionCreditCode: makeCreditCode(random),
    indexKey: { keyId: 1, key: random.bytes(32) },
    regulator: options.regulator ?? null,
    relationKey: (role) => {
      const key = options.createKey();
      const validity = { validFromMs: startMs, validToMs: startMs + KEY_DAYS * DAY_MS };
      options.onRelationKey({ key, role, ...validity });
      return key;
    },
  };
}
