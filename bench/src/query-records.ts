import {
  CREDENTIAL_CONTRACT_VERSION,
  type CredentialFile,
  type CredentialParent,
  type CredentialRecord,
  type CredentialType,
  commitPayload,
  createSalts,
  payloadSchemas,
  type StoredCredential,
} from "@credlink/contracts";
import { randomBytes } from "@credlink/crypto";
import type { Height } from "@credlink/primitives";
import { makeLoadRecord } from "./records.ts";
import type { Sender } from "./setup.ts";

/** A record of the stock, and its payload where a sample is to be verified later. */
export interface StockRecord {
  readonly record: CredentialRecord;
  readonly file: CredentialFile | null;
}

/** Credentials under one service contract, itself among them. */
export const SERVICE_RECORDS = 51;
/** Works under one service contract; each leads to an acceptance, a settlement, a payment, a bill. */
const WORKS = 10;
/** Service contracts under one framework. */
const SERVICES = 100;

type Link = readonly [relation: CredentialParent["relation"], id: Uint8Array];

/** Makes records in business order: frameworks, services, and five steps for every work. */
export function* makeStock(
  sender: Sender,
  count: number,
  nowMs: number,
  isSampled: (number: number) => boolean,
): Generator<StockRecord> {
  let made = 0;
  const make = (type: CredentialType, ...links: readonly Link[]): StockRecord => {
    const number = made++;
    const base = makeLoadRecord("transaction.task", sender, number, nowMs);
    const parents = links.map(([relation, id]) => ({ relation, id }));
    const schema = payloadSchemas["transaction.task"];
    if (!isSampled(number)) return { record: { ...base, type, parents }, file: null };
    // A sample keeps what opens it, so that it can be verified as an original is.
    const payload = {
      orderNumber: `DD${number}`,
      contractId: sender.service,
      placedAt: BigInt(nowMs),
    };
    const salts = createSalts(payload, randomBytes);
    const commitment = commitPayload(schema, payload, salts);
    const record = { ...base, type, parents, commitment };
    return { record, file: { record, payload, salts, openings: [] } };
  };
  while (made < count) {
    const framework = make("contract.framework");
    yield framework;
    for (let service = 0; service < SERVICES && made < count; service += 1) {
      const contract = make("contract.service", ["underContract", framework.record.id]);
      yield contract;
      for (let work = 0; work < WORKS && made < count; work += 1) {
        const task = make("transaction.task", ["underContract", contract.record.id]);
        yield task;
        const acceptance = make("transaction.acceptance", ["accepts", task.record.id]);
        yield acceptance;
        const settlement = make("transaction.settlement", ["settles", acceptance.record.id]);
        yield settlement;
        const payment = make("transaction.payment", ["pays", settlement.record.id]);
        yield payment;
        yield make("bill.tax", ["withholds", payment.record.id]);
      }
    }
  }
}

/** A record as the state keeps it. */
export function storedAs(
  record: CredentialRecord,
  height: Height,
  timestampMs: number,
): StoredCredential {
  return {
    standing: { status: "active", height, by: record.issuer, reason: null, replacedBy: null },
    issue: {
      contractVersion: CREDENTIAL_CONTRACT_VERSION,
      height,
      timestampMs,
      coSigners: [],
      contract: null,
      replaces: null,
    },
    record,
  };
}
