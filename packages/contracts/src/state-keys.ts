import { concatBytes, utf8 } from "@credlink/primitives";
import type { IndexEntry } from "./credential.ts";

/* Where the contract keeps what in its state: what proofs are asked for. */

/** The contract's state key of a credential: what a state proof of it is asked for. */
export function credentialKey(id: Uint8Array): Uint8Array {
  return concatBytes(utf8("r"), id);
}

/** The contract's state key of a proposal. */
export function proposalKey(id: Uint8Array): Uint8Array {
  return concatBytes(utf8("q"), id);
}

/** The contract's state key of an open case's hold on a credential: holds the case's id. */
export function caseHoldKey(id: Uint8Array, dispute: Uint8Array): Uint8Array {
  return concatBytes(utf8("h"), id, dispute);
}

/** The contract's state key of an index value: holds the id of the credential that has it. */
export function indexEntryKey({ keyId, value }: IndexEntry): Uint8Array {
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, keyId);
  return concatBytes(utf8("x"), number, value);
}

/** The contract's state key of a grant's uses: `usesAnswerCodec`; absent before the first. */
export function grantUsesKey(grant: Uint8Array): Uint8Array {
  return concatBytes(utf8("g"), grant);
}

/** The contract's state key of the arbitrators: `arbitratorPanelCodec`; absent before any. */
export function arbitratorsKey(): Uint8Array {
  return utf8("a");
}

/** The contract's state key of a registered schema version: `registeredSchemaCodec`. */
export function schemaKey(schema: string): Uint8Array {
  return utf8(`s${schema}`);
}

/** The contract's state key of a registered version's fields: `schemaFieldsCodec`. */
export function schemaFieldsKey(schema: string): Uint8Array {
  return utf8(`f${schema}`);
}

/** The contract's state key of what is published of a credential: `publicFieldsCodec`. */
export function publicFieldsKey(id: Uint8Array): Uint8Array {
  return concatBytes(utf8("p"), id);
}
