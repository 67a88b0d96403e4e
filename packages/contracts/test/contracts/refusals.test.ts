import { BUILT_IN_VERSION, SUCCESS, setMemberStatusArgsCodec } from "@credlink/ledger";
import { decode, encode, fromHex, toHex, utf8 } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { type CredentialDraft, generateRefusedCases } from "../../../../examples/src/index.ts";
import {
  acceptanceDraft,
  actionDraft,
  identityDraft,
  insuranceDraft,
  invoiceDraft,
  serviceDraft,
  taskDraft,
  taxDraft,
} from "../../../../examples/src/month/index.ts";
import {
  credentialErrors,
  credentialIdArgsCodec,
  credentialStatusAnswerCodec,
  lookupAnswerCodec,
  lookupArgsCodec,
  submitArgsCodec,
} from "../../src/index.ts";
import { codesBySuite } from "../support/codes.ts";
import { DAY_MS, GENESIS_MS, keySource, memberKeyOf } from "../support/consortium.ts";
import { Desk, institution, makeMonth, other, regulator, type Sending } from "../support/desk.ts";

const month = makeMonth("refusals");
const { context } = month;
const cases = generateRefusedCases(month);

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.open(month);
});

const work = (place: number) => desk.work(place);
const submit = (draft: CredentialDraft, sending: Sending = {}) => desk.submit(draft, sending);
const revoke = (id: Uint8Array, sender = institution) => desk.revoke(id, sender);

describe("T-4.3: refused, each with its own code", () => {
  it.each(cases.map((each) => ({ ...each, parent: each.parentType ?? "nothing" })))(
    "$childType on $parent: $name is $expectedCode",
    async ({ step: { method, args, coSigners }, sender, expectedCode }) => {
      const { chain } = desk;
      const before = chain.stateRoot;
      const by = sender ?? institution;
      const receipt = await desk.run(method, args, { sender: by, coSigners });
      expect(receipt.status).toBe(expectedCode);
      expect(receipt.events).toEqual([]);
      expect(chain.stateRoot).toBe(before);
    },
  );
});

describe("T-4.6.2-1: permission stands in the contract", () => {
  it("identity.institution by a regulator is CREDENTIAL_ISSUER_UNAUTHORISED", async () => {
    const { status } = await submit(
      {
        name: "",
        type: "identity.institution",
        subjectAddresses: [regulator.address],
        indexes: [{ keyId: 1, value: new Uint8Array(32) }],
        payload: {},
        validFromMs: context.startMs,
      },
      { sender: regulator },
    );
    expect(status).toBe("CREDENTIAL_ISSUER_UNAUTHORISED");
  });

  it.each([
    ["auditor", "CREDENTIAL_ISSUER_UNAUTHORISED"],
    ["admin", "VM_ACCESS_DENIED"],
  ] as const)("%s cannot submit", async (name, code) => {
    const sender = memberKeyOf(name);
    const { status } = await submit(insuranceDraft(context, work(0).worker), { sender });
    expect(status).toBe(code);
  });

  it("another institution cannot revoke, correct or hold", async () => {
    const { insurance, worker } = work(0);
    expect(await revoke(insurance.id, other)).toBe("CREDENTIAL_NOT_ISSUER");
    const draft = insuranceDraft(context, worker);
    expect((await desk.correct(draft, insurance.id, { sender: other })).status).toBe(
      "CREDENTIAL_NOT_ISSUER",
    );
    const hold = actionDraft(context, worker.service, "holds");
    expect((await submit(hold, { sender: other })).status).toBe("CREDENTIAL_HOLD_FOREIGN");
  });

  it("another institution cannot work under the contract", async () => {
    const task = taskDraft(context, work(0).worker, 0);
    expect((await submit(task, { sender: other })).status).toBe("CREDENTIAL_FOREIGN_PARTY");
  });

  it("only institutions and regulators may look an index up", async () => {
    const [entry] = work(0).worker.identity.indexes;
    const args = encode(lookupArgsCodec, entry ?? expect.fail("no index"));
    const denied = await desk.chain.query("lookup", args, memberKeyOf("auditor"));
    expect(denied.status).toBe("VM_ACCESS_DENIED");
    const { status, returnValue } = await desk.chain.query("lookup", args, other);
    expect(status).toBe(SUCCESS);
    expect(decode(lookupAnswerCodec, returnValue).id).toEqual(work(0).worker.identity.id);
  });
});

describe("subjects", () => {
  it("identity.individual with a key that another institution registered is refused", async () => {
    const key = keySource("unattested")();
    const validFromMs = context.startMs;
    const validToMs = GENESIS_MS + 100 * DAY_MS;
    await desk.chain.register([{ ...key, role: "individual", validFromMs, validToMs }], other);
    const person = { ...month.stranger, identityKey: key };
    const { status } = await submit(identityDraft(context, person, month.institution));
    expect(status).toBe("CREDENTIAL_SUBJECT_UNATTESTED");
  });

  it("bill.insurance for a suspended key is refused", async () => {
    const { worker } = work(3);
    const receipt = await desk.chain.run({
      sender: regulator,
      contract: "members",
      version: BUILT_IN_VERSION,
      method: "setStatus",
      args: encode(setMemberStatusArgsCodec, {
        address: worker.serviceKey.address,
        status: "suspended",
      }),
    });
    expect(receipt.status).toBe(SUCCESS);
    const { status } = await submit(insuranceDraft(context, worker));
    expect(status).toBe("CREDENTIAL_SUBJECT_INACTIVE");
  });

  it("a type that does not exist is CREDENTIAL_TYPE_UNKNOWN", async () => {
    const { record } = context.builder.make(insuranceDraft(context, work(0).worker));
    const hex = toHex(encode(submitArgsCodec, record));
    const args = fromHex(hex.replace(toHex(utf8("bill.insurance")), toHex(utf8("bill.insurancy"))));
    const { status } = await desk.run("submit", args);
    expect(status).toBe("CREDENTIAL_TYPE_UNKNOWN");
  });
});

describe("life cycle", () => {
  it("what was revoked may be issued again, and a red invoice may not be revoked", async () => {
    const { worker, payment, tax, netFen } = work(1);
    const again = taxDraft(context, worker, payment, netFen);
    expect((await submit(again)).status).toBe("CREDENTIAL_ALREADY_TAXED");
    expect(await revoke(tax.id)).toBe(SUCCESS);
    expect((await submit(again)).status).toBe(SUCCESS);
    const red = month.steps.find(({ type }) => type === "bill.red-invoice");
    expect(await revoke(red?.id ?? expect.fail("no red invoice"))).toBe("CREDENTIAL_NOT_REVOCABLE");
  });

  it("a regulator's hold stops work until the regulator releases it", async () => {
    const { worker } = work(1);
    const task = (): CredentialDraft => taskDraft(context, worker, 1);
    const identity = worker.enterprise.identity;
    const hold = actionDraft(context, identity, "holds");
    expect((await submit(hold, { sender: regulator })).status).toBe(SUCCESS);
    expect((await submit(task())).status).toBe("CREDENTIAL_PARENT_ON_HOLD");
    const bill = invoiceDraft(context, [work(1)]);
    expect((await submit(bill)).status).toBe("CREDENTIAL_PARENT_ON_HOLD");
    const release = actionDraft(context, identity, "releases");
    expect((await submit(release)).status).toBe("CREDENTIAL_HOLD_FOREIGN");
    expect((await submit(release, { sender: regulator })).status).toBe(SUCCESS);
    expect((await submit(task())).status).toBe(SUCCESS);
  });

  it("a corrected identity carries on for contracts made before, not for new ones", async () => {
    const { worker } = work(2);
    const draft = identityDraft(context, worker, month.institution);
    const { status, record } = await desk.correct(draft, worker.identity.id);
    expect(status).toBe(SUCCESS);
    expect((await submit(taskDraft(context, worker, 2))).status).toBe(SUCCESS);
    const parties = {
      person: worker,
      enterprise: worker.enterprise,
      attester: month.institution,
    };
    const old = serviceDraft(context, { ...parties, identity: worker.identity });
    expect((await submit(old)).status).toBe("CREDENTIAL_PARENT_CORRECTED");
    const fresh = serviceDraft(context, { ...parties, identity: record });
    expect((await submit(fresh)).status).toBe(SUCCESS);
    const args = encode(credentialIdArgsCodec, { id: worker.identity.id });
    const { returnValue } = await desk.chain.query("status", args, memberKeyOf("auditor"));
    expect(decode(credentialStatusAnswerCodec, returnValue)).toEqual({
      type: "identity.individual",
      status: "corrected",
      isExpired: false,
      replacedBy: record.id,
    });
  });

  it("a revoked framework stops all work under it", async () => {
    const { worker } = work(5);
    expect(await revoke(worker.enterprise.framework.id)).toBe(SUCCESS);
    expect((await submit(taskDraft(context, worker, 0))).status).toBe("CREDENTIAL_PARENT_REVOKED");
  });

  it("after the contract's end nothing new is recorded, and late work for a month only", async () => {
    const { worker } = work(0);
    const until = worker.service.validToMs ?? expect.fail("no end");
    const task = taskDraft(context, worker, 0);
    const late = { ...task, validFromMs: until - DAY_MS };
    const soon = await submit(late, { timestampMs: until + 10 * DAY_MS });
    expect(soon.status).toBe(SUCCESS);
    const accepted = acceptanceDraft(context, worker, [soon.record]);
    const after = await submit({ ...accepted, validFromMs: until + 1 });
    expect(after.status).toBe("CREDENTIAL_OUTSIDE_CONTRACT_WINDOW");
    expect((await submit({ ...accepted, validFromMs: until - 1 })).status).toBe(SUCCESS);
    const outside = { ...task, validFromMs: until + DAY_MS };
    expect((await submit(outside)).status).toBe("CREDENTIAL_OUTSIDE_CONTRACT_WINDOW");
    const tooLate = await submit(late, { timestampMs: until + 40 * DAY_MS });
    expect(tooLate.status).toBe("CREDENTIAL_PARENT_EXPIRED");
  });
});

it("every code that input can reach was met, here or by the suite that says so", () => {
  const unreachable = [
    "CONTRACT_HOST_MALFORMED",
    "CREDENTIAL_STATE_MALFORMED",
    "CREDENTIAL_TRACE_TOO_LARGE",
  ];
  const elsewhere: ReadonlySet<string> = new Set(Object.values(codesBySuite).flat());
  const met = new Set([...desk.seen, ...cases.map(({ expectedCode }) => expectedCode)]);
  const missing = Object.keys(credentialErrors).filter(
    (code) => !met.has(code) && !elsewhere.has(code),
  );
  expect(missing.sort()).toEqual(unreachable);
});
