import { SUCCESS } from "@credlink/ledger";
import { encode, equalBytes } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { actionDraft } from "../../../../examples/src/month/index.ts";
import {
  type CredentialParent,
  type CredentialRecord,
  type CredentialRelation,
  type CredentialType,
  correctArgsCodec,
  correctableTypes,
  coSignedTypes,
  credentialRelations,
  credentialTypes,
  familyOf,
  formRules,
  proposeArgsCodec,
  type ReferenceRule,
  referenceRules,
  revokeArgsCodec,
} from "../../src/index.ts";
import type { TestCall } from "../support/chain.ts";
import { DAY_MS, memberKeyOf, type TestKey } from "../support/consortium.ts";
import { Desk, institution, makeMonth, reason, regulator } from "../support/desk.ts";
import { type Fixture, type Fixtures, makeFixtures, submission } from "../support/fixtures.ts";

let desk: Desk;
let fixtures: Fixtures;
/** A standing credential of every type. */
const standing = new Map<CredentialType, CredentialRecord>();

beforeAll(async () => {
  desk = await Desk.open(makeMonth("rejections"));
  fixtures = await makeFixtures(desk);
  for (const { type, record } of desk.month.steps) {
    if (record === null) continue;
    const { status } = await desk.statusOf(record);
    if (status === "active") standing.set(type, record);
  }
  const records = [...standing.values()];
  for (const type of credentialTypes) {
    if (standing.has(type)) continue;
    const { record, sender, coSigners } = fixtures[type];
    const receipt = await desk.chain.run(submission(record, sender, coSigners));
    expect(receipt.status, type).toBe(SUCCESS);
    standing.set(type, record);
  }
  expect(records.length).toBeGreaterThan(14);
  fixtures = await makeFixtures(desk);
});

function recordOf(type: CredentialType): CredentialRecord {
  return standing.get(type) ?? expect.fail(`no ${type}`);
}

type Change = (record: CredentialRecord) => CredentialRecord;

/** A fixture's record under a fresh id, by whoever is said to issue it. */
function fresh({ record, sender }: Fixture, by: TestKey = sender): CredentialRecord {
  return { ...record, id: desk.context.random.bytes(32), issuer: by.address };
}

/** A fixture's transaction, with its record changed. */
function call(fixture: Fixture, change: Change = (record) => record): TestCall {
  return submission(change(fresh(fixture)), fixture.sender, fixture.coSigners);
}

/** What becomes of the last of some calls, which are not kept. */
async function statusAfter(calls: readonly TestCall[], timestampMs?: number): Promise<string> {
  const { receipts } = await desk.chain.attempt(calls, timestampMs);
  for (const { status } of receipts.slice(0, -1))
    expect(status, "what leads up to it").toBe(SUCCESS);
  return receipts.at(-1)?.status ?? "none";
}

/** The child with its parents of one relation replaced by one of that type. */
function withParent(relation: CredentialRelation, parent: CredentialParent): Change {
  return (record) => {
    const others = record.parents.filter(
      (each) => each.relation !== relation && !equalBytes(each.id, parent.id),
    );
    return { ...record, parents: [...others, parent] };
  };
}

const rulesOf = (child: CredentialType): readonly ReferenceRule[] =>
  referenceRules.filter((rule) => rule.child === child);
const isFree = (type: CredentialType): boolean => ["risk", "arbitration"].includes(familyOf(type));
const children = credentialTypes.filter((type) => rulesOf(type).length > 0);

it.each(credentialTypes)("%s: the fixture that everything is bent from is taken", async (type) => {
  expect(await statusAfter([call(fixtures[type])])).toBe(SUCCESS);
});

describe("T-4.3: missing parent", () => {
  it.each(children)("%s on a parent that does not exist, in each relation", async (child) => {
    for (const { relation, parents } of rulesOf(child)) {
      const unknown = { id: desk.context.random.bytes(32), relation };
      const status = await statusAfter([call(fixtures[child], withParent(relation, unknown))]);
      expect(status, `${child} ${relation} ${parents.join()}`).toBe("CREDENTIAL_PARENT_MISSING");
    }
  });

  const required = referenceRules.filter(({ fewest }) => fewest > 0);
  it.each(required.map((rule) => [rule.child, rule.relation, rule] as const))(
    "%s without its %s",
    async (child, relation) => {
      const drop: Change = (record) => ({
        ...record,
        parents: record.parents.filter((parent) => parent.relation !== relation),
      });
      expect(await statusAfter([call(fixtures[child], drop)])).toBe("CREDENTIAL_PARENT_REQUIRED");
    },
  );
});

describe("T-4.3: wrong type and wrong relation", () => {
  const pairs = children.flatMap((child) =>
    [...new Set(rulesOf(child).map(({ relation }) => relation))].map(
      (relation) => [child, relation] as const,
    ),
  );
  it.each(pairs)("%s cannot %s any type that is not listed", async (child, relation) => {
    const allowed = rulesOf(child).flatMap((rule) =>
      rule.relation === relation ? rule.parents : [],
    );
    for (const type of credentialTypes.filter((each) => !allowed.includes(each))) {
      const parent = { id: recordOf(type).id, relation };
      const status = await statusAfter([call(fixtures[child], withParent(relation, parent))]);
      expect(status, `${child} ${relation} ${type}`).toBe("CREDENTIAL_PARENT_TYPE");
    }
  });

  it.each(credentialTypes)("%s has no other relations", async (child) => {
    const own = new Set(rulesOf(child).map(({ relation }) => relation));
    for (const relation of credentialRelations) {
      if (own.has(relation)) continue;
      const parent = { id: recordOf("contract.service").id, relation };
      const status = await statusAfter([call(fixtures[child], withParent(relation, parent))]);
      expect(status, `${child} ${relation}`).toBe("CREDENTIAL_PARENT_RELATION");
    }
  });
});

/** Pairs of child and parent of which the child depends on the parent's standing. */
const dependent = referenceRules
  .filter(({ child }) => !isFree(child))
  .flatMap((rule) => rule.parents.map((parent) => [rule.child, parent, rule] as const))
  .filter(([child, parent]) => child !== "grant.access" || parent === "transaction.payment");

/** The fixture's own parent of that type. */
async function parentOf(child: CredentialType, type: CredentialType): Promise<Uint8Array> {
  for (const { id } of fixtures[child].record.parents) {
    if ((await desk.statusOf({ id })).type === type) return id;
  }
  return expect.fail(`${child} has no ${type}`);
}

function revokeCall(id: Uint8Array): TestCall {
  return { sender: regulator, method: "revoke", args: encode(revokeArgsCodec, { id, reason }) };
}

describe("T-4.3: parent revoked, on hold, corrected, proposed", () => {
  it.each(dependent)("%s on a %s that is revoked", async (child, type) => {
    const id = await parentOf(child, type);
    const { receipts } = await desk.chain.attempt([revokeCall(id), call(fixtures[child])]);
    const [revoked, refused] = receipts.map(({ status }) => status);
    // What is used up already cannot be revoked: then there is nothing to refuse.
    if (revoked === "CREDENTIAL_HAS_DEPENDENTS") expect(child).toBe("grant.access");
    else {
      expect(revoked).toBe(SUCCESS);
      expect(refused).toBe("CREDENTIAL_PARENT_REVOKED");
    }
  });

  it.each(dependent)("%s on a %s that is on hold", async (child, type) => {
    const id = await parentOf(child, type);
    const draft = actionDraft(desk.context, { ...recordOf(type), id }, "holds");
    const hold = submission(desk.make(draft, { sender: regulator }), regulator);
    const status = await statusAfter([hold, call(fixtures[child])]);
    expect(status).toBe("CREDENTIAL_PARENT_ON_HOLD");
  });

  const correctable = dependent.filter(([, type]) => correctableTypes.includes(type));
  it.each(correctable)("%s on a %s that was corrected", async (child, type) => {
    const id = await parentOf(child, type);
    const correction = await correctionOf(type, id);
    const { receipts } = await desk.chain.attempt([correction, call(fixtures[child])]);
    const [corrected, refused] = receipts.map(({ status }) => status);
    if (corrected === "CREDENTIAL_HAS_DEPENDENTS") expect(child).toBe("grant.access");
    else {
      expect(corrected, `correction of ${type}`).toBe(SUCCESS);
      expect(refused).toBe("CREDENTIAL_PARENT_CORRECTED");
    }
  });

  it("bill.red-invoice on a bill.invoice that was reversed", async () => {
    const red = fixtures["bill.red-invoice"];
    const again: Change = (record) => ({
      ...record,
      indexes: [{ keyId: 1, value: desk.context.random.bytes(32) }],
    });
    const status = await statusAfter([call(red), call(red, again)]);
    expect(status).toBe("CREDENTIAL_PARENT_CORRECTED");
  });

  const proposable = referenceRules.flatMap((rule) =>
    rule.parents
      .filter((type) => coSignedTypes.includes(type))
      .map((type) => [rule.child, rule.relation, type] as const),
  );
  it.each(proposable)("%s %s a %s that is only proposed", async (child, relation, type) => {
    const { sender } = fixtures[type];
    const record = fresh(fixtures[type]);
    const untilMs = desk.nowMs + DAY_MS;
    const args = encode(proposeArgsCodec, { record, untilMs, correction: null });
    const propose = { sender, method: "propose", args };
    const parent = { id: record.id, relation };
    const status = await statusAfter([
      propose,
      call(fixtures[child], withParent(relation, parent)),
    ]);
    expect(status).toBe("CREDENTIAL_PARENT_PROPOSED");
  });
});

/** A correction of a parent by a record that differs in its id and date alone. */
async function correctionOf(type: CredentialType, id: Uint8Array): Promise<TestCall> {
  const { record, coSigners } = await desk.load(id);
  const next = { ...record, id: desk.context.random.bytes(32) };
  const keys = coSigners.map((address) => desk.keyOf(address));
  const args = encode(correctArgsCodec, { id, reason, record: next });
  expect(record.type).toBe(type);
  return { sender: institution, coSigners: keys, method: "correct", args };
}

describe("T-4.3: expired parent, by block time", () => {
  const limited: readonly CredentialType[] = ["contract.framework", "contract.service"];
  const pairs = dependent.filter(
    ([child, type]) => limited.includes(type) && child !== "grant.access",
  );
  it.each(pairs)("%s on a %s that has ended", async (child, type) => {
    const id = await parentOf(child, type);
    const { record } = await desk.load(id);
    const after = (record.validToMs ?? 0) + 32 * DAY_MS;
    const change: Change = (made) => ({ ...made, validFromMs: (record.validToMs ?? 0) - 1 });
    const dated = child === "contract.service" ? undefined : change;
    const status = await statusAfter([call(fixtures[child], dated)], after);
    expect(["CREDENTIAL_PARENT_EXPIRED", "CREDENTIAL_SUBJECT_INACTIVE"]).toContain(status);
  });

  it("contract.service on an identity.individual that has ended", async () => {
    const { identity } = desk.month.expired;
    const change: Change = (record) => ({
      ...record,
      parents: record.parents.map((parent, i) =>
        i === 0 ? { ...parent, id: identity.id } : parent,
      ),
    });
    const status = await statusAfter([call(fixtures["contract.service"], change)]);
    expect(status).toBe("CREDENTIAL_PARENT_EXPIRED");
  });
});

describe("T-4.3: time inversion", () => {
  const pairs = referenceRules.flatMap((rule) =>
    rule.parents.map((type) => [rule.child, rule.relation, type, rule] as const),
  );
  it.each(pairs)("%s dated before the %s %s", async (child, relation, type, rule) => {
    const isOwn = rule.parents.length === 1 && rule.fewest > 0;
    const id = isOwn ? await parentOf(child, type) : recordOf(type).id;
    const { record: parent } = await desk.load(id);
    const fixture = fixtures[child];
    const place = isOwn ? (made: CredentialRecord) => made : withParent(relation, { id, relation });
    const change: Change = (made) => ({ ...place(made), validFromMs: parent.validFromMs - 1 });
    expect(await statusAfter([call(fixture, change)])).toBe("CREDENTIAL_TIME_INVERSION");
  });
});

describe("T-4.3: twice", () => {
  const codes = {
    accept: "CREDENTIAL_ALREADY_ACCEPTED",
    settle: "CREDENTIAL_ALREADY_SETTLED",
    pay: "CREDENTIAL_ALREADY_PAID",
    invoice: "CREDENTIAL_ALREADY_INVOICED",
    tax: "CREDENTIAL_ALREADY_TAXED",
    appeal: "CREDENTIAL_ALREADY_APPEALED",
  } as const;
  const pairs = referenceRules.flatMap(({ child, parents: [type], use }) =>
    use === null || use === "appeal" || type === undefined ? [] : [[child, type, use] as const],
  );
  it.each(pairs)("%s on a %s a second time", async (child, _type, use) => {
    const again: Change = (record) => ({
      ...record,
      indexes: record.indexes.map(() => ({ keyId: 1, value: desk.context.random.bytes(32) })),
    });
    const fixture = fixtures[child];
    expect(await statusAfter([call(fixture), call(fixture, again)])).toBe(codes[use]);
  });

  it.each(credentialTypes.filter((type) => formRules[type].mostIndexes > 0))(
    "%s with an identifier that another one holds",
    async (type) => {
      const [taken] = recordOf("identity.institution").indexes;
      const entry = taken ?? expect.fail("an index");
      const change: Change = (record) => ({ ...record, indexes: [entry] });
      const status = await statusAfter([call(fixtures[type], change)]);
      expect(status).toBe("CREDENTIAL_INDEX_DUPLICATE");
    },
  );
});

describe("T-4.3: what is wrong with the record itself", () => {
  it.each(children)("%s that names itself is a cycle", async (child) => {
    for (const relation of new Set(rulesOf(child).map((rule) => rule.relation))) {
      const loop: Change = (record) => withParent(relation, { id: record.id, relation })(record);
      expect(await statusAfter([call(fixtures[child], loop)])).toBe("CREDENTIAL_CYCLE");
    }
  });

  it.each(credentialTypes)("%s by a role that may not issue it", async (type) => {
    const members: readonly (readonly [string, TestKey])[] = [
      ["institution", memberKeyOf("otherInstitution")],
      ["regulator", regulator],
      ["auditor", memberKeyOf("auditor")],
      ["enterprise", memberKeyOf("enterprise")],
      ["individual", memberKeyOf("individual")],
    ];
    for (const [role, sender] of members) {
      if ((formRules[type].issuers as readonly string[]).includes(role)) continue;
      const record = fresh(fixtures[type], sender);
      const status = await statusAfter([submission(record, sender, fixtures[type].coSigners)]);
      expect(status, role).toBe("CREDENTIAL_ISSUER_UNAUTHORISED");
    }
  });

  it.each(coSignedTypes)("%s without one of its signatures", async (type) => {
    const { record, sender, coSigners } = fixtures[type];
    expect(coSigners.length).toBeGreaterThan(0);
    for (const missing of coSigners) {
      const others = coSigners.filter((key) => key !== missing);
      const status = await statusAfter([submission(record, sender, others)]);
      expect(status).toBe("CREDENTIAL_COSIGNATURE_MISSING");
    }
  });

  it.each(credentialTypes)("%s by a schema version that does not exist", async (type) => {
    for (const schema of [`${type}/1.1`, `${type}/2.0`, `${type}/1`, `${type}`, "risk.other/1.0"]) {
      const status = await statusAfter([call(fixtures[type], (record) => ({ ...record, schema }))]);
      expect(status, schema).toBe("CREDENTIAL_SCHEMA_VERSION");
    }
  });

  const valued = credentialTypes.filter((type) => formRules[type].amounts > 0);
  it.each(valued)("%s with other amounts than its sums allow, or none", async (type) => {
    const [foreign] = recordOf("bill.insurance").amounts;
    const amount = foreign ?? expect.fail("an amount");
    const isSummed = !["bill.insurance", "transaction.acceptance"].includes(type);
    const first: Change = (record) => ({
      ...record,
      amounts: [amount, ...record.amounts.slice(1)],
    });
    const status = await statusAfter([call(fixtures[type], first)]);
    expect(status).toBe(isSummed ? "CREDENTIAL_SUM_MISMATCH" : SUCCESS);
    const none = await statusAfter([
      call(fixtures[type], (record) => ({ ...record, amounts: [] })),
    ]);
    expect(none).toBe("CREDENTIAL_AMOUNT_COUNT");
  });

  const tied = credentialTypes.filter(
    (type) =>
      ["contract", "transaction", "bill"].includes(familyOf(type)) || type.startsWith("identity.e"),
  );
  it.each(tied)(
    "%s by another institution than its parents' is of foreign parties",
    async (type) => {
      const sender = memberKeyOf("thirdInstitution");
      const record = fresh(fixtures[type], sender);
      const status = await statusAfter([submission(record, sender, fixtures[type].coSigners)]);
      expect(status).toBe("CREDENTIAL_FOREIGN_PARTY");
    },
  );
});
