import {
  CREDENTIAL_FORMAT,
  type CredentialRecord,
  commitAmount,
  commitPayload,
  createOpenings,
  createSalts,
  type Payload,
  payloadSchemas,
} from "@credlink/contracts";
import { randomBytes } from "@credlink/crypto";
import { type Address, address, digest } from "@credlink/primitives";
import type { Kind } from "./options.ts";
import type { Sender } from "./setup.ts";

const HOUR_MS = 3_600_000;

function payloadOf(kind: Kind, sender: Sender, number: number, nowMs: number): Payload {
  if (kind === "bill.insurance") {
    return {
      policyNumber: `PA${String(number).padStart(16, "0")}`,
      insurer: "中国平安财产保险股份有限公司",
      period: new Date(nowMs).toISOString().slice(0, 7),
      premium: BigInt(1_200 + (number % 1_800)),
    };
  }
  return {
    orderNumber: `DD${String(number).padStart(14, "0")}`,
    contractId: sender.service,
    scene: "同城配送",
    taskType: "即时配送",
    placedAt: BigInt(nowMs - 2 * HOUR_MS),
    finishedAt: BigInt(nowMs - HOUR_MS),
    evidence: [randomBytes(32)],
    quantity: 1 + (number % 40),
    unitPrice: BigInt(500 + (number % 900)),
  };
}

/** A credential of the load: fresh id and salts, its payload truly committed to. */
export function makeLoadRecord(
  kind: Kind,
  sender: Sender,
  number: number,
  nowMs: number,
): CredentialRecord {
  const schema = payloadSchemas[kind];
  const payload = payloadOf(kind, sender, number, nowMs);
  const worker: Address = sender.worker.address;
  return {
    format: CREDENTIAL_FORMAT,
    id: randomBytes(32),
    type: kind,
    schema: schema.id,
    issuer: address(sender.address),
    subjects: kind === "bill.insurance" ? [worker] : [sender.enterprise.address, worker],
    parents: [{ id: sender.service, relation: "underContract" }],
    commitment: commitPayload(schema, payload, createSalts(payload, randomBytes)),
    indexes: [],
    amounts: createOpenings(kind, payload, [], randomBytes).map(commitAmount),
    policyDigest: digest(randomBytes(32)),
    level: schema.level,
    validFromMs: nowMs - HOUR_MS,
    validToMs: null,
    payloadReference: null,
    terms: null,
  };
}
