import { SUCCESS } from "@credlink/ledger";
import { encode, invariant } from "@credlink/primitives";
import type { CredentialDraft, ExampleKey } from "../../../../examples/src/index.ts";
import {
  acceptanceDraft,
  actionDraft,
  caseDraft,
  grantDraft,
  identityDraft,
  insuranceDraft,
  invoiceDraft,
  paymentDraft,
  redInvoiceDraft,
  serviceDraft,
  settlementDraft,
  taskDraft,
  taxDraft,
  verdictDraft,
} from "../../../../examples/src/month/index.ts";
import {
  type CredentialParent,
  type CredentialRecord,
  type CredentialType,
  credentialTypes,
  type IndexEntry,
  submitArgsCodec,
} from "../../src/index.ts";
import type { TestCall } from "./chain.ts";
import { DAY_MS, keySource, type TestKey } from "./consortium.ts";
import { type Desk, institution, other, regulator } from "./desk.ts";

/** A credential of one type that the contract would take now; nothing has used its parents up. */
export interface Fixture {
  readonly type: CredentialType;
  readonly draft: CredentialDraft;
  readonly sender: TestKey;
  readonly coSigners: readonly TestKey[];
  readonly record: CredentialRecord;
}

export type Fixtures = Readonly<Record<CredentialType, Fixture>>;

/** The transaction that submits a record. */
export function submission(
  record: CredentialRecord,
  sender: TestKey,
  coSigners: readonly TestKey[] = [],
): TestCall {
  return { sender, coSigners, method: "submit", args: encode(submitArgsCodec, record) };
}

/** Makes one submission of every type; its parents are committed, it is not. */
export async function makeFixtures(desk: Desk): Promise<Fixtures> {
  const drafts = await makeDrafts(desk);
  const entries = credentialTypes.map((type): [CredentialType, Fixture] => {
    const draft = drafts[type];
    const sender = draft.sender ?? institution;
    const coSigners = draft.coSigners ?? [];
    return [type, { type, draft, sender, coSigners, record: desk.make(draft) }];
  });
  return Object.fromEntries(entries) as Fixtures;
}

async function taken(desk: Desk, draft: CredentialDraft): Promise<CredentialRecord> {
  const { status, record } = await desk.submit(draft);
  invariant(status === SUCCESS, `${draft.name}: ${status}`);
  return record;
}

/** A record of the month with its payload, to make another one of its type from. */
function stepOf(desk: Desk, type: CredentialType) {
  const found = desk.month.steps.find((step) => step.type === type && step.record !== null);
  invariant(found?.record !== null && found !== undefined, `the month has ${type}`);
  return { payload: found.payload, record: found.record };
}

async function makeDrafts(desk: Desk): Promise<Readonly<Record<CredentialType, CredentialDraft>>> {
  const work = await workDrafts(desk);
  return { ...(await partyDrafts(desk)), ...work, ...(await overseeingDrafts(desk)) };
}

function freshIndex(desk: Desk): IndexEntry {
  return { keyId: 1, value: desk.context.random.bytes(32) };
}

async function freshKey(desk: Desk, role: "enterprise" | "individual"): Promise<ExampleKey> {
  const key = keySource(`fixture/${role}/${desk.context.random.digits(9)}`)();
  const validFromMs = desk.context.startMs;
  const validToMs = desk.nowMs + 700 * DAY_MS;
  desk.keys.push(key);
  await desk.chain.register([{ ...key, role, validFromMs, validToMs }]);
  return key;
}

async function partyDrafts(desk: Desk) {
  const { context, month } = desk;
  const { worker } = desk.work(0);
  const [enterpriseKey, frameworkKey] = [
    await freshKey(desk, "enterprise"),
    await freshKey(desk, "enterprise"),
  ];
  const serviceKey = await freshKey(desk, "individual");
  const institutional = stepOf(desk, "identity.institution");
  const enterprise = stepOf(desk, "identity.enterprise");
  const framework = stepOf(desk, "contract.framework");
  const attestedBy: CredentialParent = { id: month.institution.id, relation: "attestedBy" };
  return {
    "identity.institution": {
      name: "another institution",
      type: "identity.institution",
      sender: other,
      subjectAddresses: [other.address],
      indexes: [freshIndex(desk)],
      payload: institutional.payload,
      validFromMs: context.startMs,
    },
    "identity.enterprise": {
      name: "another enterprise",
      type: "identity.enterprise",
      subjects: [enterpriseKey],
      coSigners: [enterpriseKey],
      parents: [attestedBy],
      indexes: [freshIndex(desk)],
      payload: enterprise.payload,
      validFromMs: enterprise.record.validFromMs,
    },
    "identity.individual": identityDraft(context, month.stranger, month.institution),
    "contract.framework": {
      name: "another framework",
      type: "contract.framework",
      subjects: [frameworkKey],
      coSigners: [worker.enterprise.identityKey, frameworkKey],
      parents: framework.record.parents,
      payload: framework.payload,
      validFromMs: framework.record.validFromMs,
      validToMs: framework.record.validToMs ?? 0,
    },
    "contract.service": serviceDraft(context, {
      person: { ...worker, serviceKey },
      identity: worker.identity,
      enterprise: worker.enterprise,
      attester: month.institution,
    }),
  } satisfies Partial<Record<CredentialType, CredentialDraft>>;
}

async function workDrafts(desk: Desk) {
  const { context } = desk;
  const known = desk.work(0);
  const { worker } = known;
  const [gross, net] = [100_00n, 93_00n];
  const take = (draft: CredentialDraft) => taken(desk, draft);
  const task = () => take(taskDraft(context, worker, 0));
  const acceptance = async () => take(acceptanceDraft(context, worker, [await task()], gross));
  const settlement = async () =>
    take(settlementDraft(context, worker, [await acceptance()], [gross]));
  const payment = async () => take(paymentDraft(context, worker, await settlement(), net));
  const covered = async () => [{ ...known, settlement: await settlement(), grossFen: gross }];
  const works = await covered();
  const blue = invoiceDraft(context, works);
  const { invoiceNumber } = blue.payload;
  const invoice = { record: await take(blue), invoiceNumber, covered: works };
  return {
    "transaction.task": taskDraft(context, worker, 1),
    "transaction.acceptance": acceptanceDraft(context, worker, [await task()], gross),
    "transaction.settlement": settlementDraft(context, worker, [await acceptance()], [gross]),
    "transaction.payment": paymentDraft(context, worker, await settlement(), net),
    "bill.invoice": invoiceDraft(context, await covered()),
    "bill.red-invoice": redInvoiceDraft(context, invoice),
    "bill.tax": taxDraft(context, worker, await payment(), net),
    "bill.insurance": insuranceDraft(context, worker),
  } satisfies Partial<Record<CredentialType, CredentialDraft>>;
}

async function overseeingDrafts(desk: Desk) {
  const { context } = desk;
  const work = desk.work(0);
  const { worker: watched, insurance } = desk.work(4);
  const hold = actionDraft(context, watched.service, "holds");
  const risk = (type: "risk.assessment" | "risk.alert" | "risk.report") => ({
    name: type,
    type,
    parents: [{ id: watched.service.id, relation: "assesses" as const }],
    payload: stepOf(desk, type).payload,
    validFromMs: hold.validFromMs,
  });
  const assessment = risk("risk.assessment");
  const held: CredentialParent = { id: insurance.id, relation: "holds" };
  const dispute = await taken(desk, caseDraft(context, desk.work(3)));
  return {
    "risk.assessment": { ...assessment, parents: [...assessment.parents, held] },
    "risk.alert": risk("risk.alert"),
    "risk.action": hold,
    "risk.report": risk("risk.report"),
    "arbitration.case": caseDraft(context, work),
    "arbitration.verdict": {
      ...verdictDraft(context, dispute, "upheld", []),
      sender: regulator,
    },
    "grant.access": grantDraft(context, work, other),
  } satisfies Partial<Record<CredentialType, CredentialDraft>>;
}
