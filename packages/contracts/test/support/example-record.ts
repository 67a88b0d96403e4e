import { address, digest } from "@credlink/primitives";
import type { CredentialRecord } from "../../src/index.ts";

function bytes32(fill: number): Uint8Array {
  return new Uint8Array(32).fill(fill);
}

/** A record with every field filled, the same on every run. */
export function exampleRecord(): CredentialRecord {
  return {
    format: 2,
    id: bytes32(1),
    type: "transaction.settlement",
    schema: "transaction.settlement/1.0",
    issuer: address(bytes32(2)),
    subjects: [address(bytes32(3)), address(bytes32(4))],
    parents: [{ id: bytes32(5), relation: "settles" }],
    commitment: { root: digest(bytes32(6)), fieldCount: 10 },
    indexes: [{ keyId: 300, value: bytes32(7) }],
    amounts: [new Uint8Array(64).fill(2), new Uint8Array(64).fill(3)],
    policyDigest: digest(bytes32(8)),
    level: 3,
    validFromMs: 1_790_000_000_000,
    validToMs: 1_800_000_000_000,
    payloadReference: bytes32(9),
    terms: Uint8Array.of(1, 2),
  };
}
