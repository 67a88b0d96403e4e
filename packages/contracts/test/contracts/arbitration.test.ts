import { SUCCESS } from "@credlink/ledger";
import { decode, encode } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import {
  actionDraft,
  caseDraft,
  insuranceDraft,
  taskDraft,
  verdictDraft,
} from "../../../../examples/src/month/index.ts";
import {
  arbitratorPanelCodec,
  type CredentialRecord,
  caseTermsCodec,
  credentialIdArgsCodec,
  storedCredentialCodec,
  traceArgsCodec,
  tracePageCodec,
} from "../../src/index.ts";
import { missingCodes } from "../support/codes.ts";
import { memberKeyOf, type TestKey } from "../support/consortium.ts";
import { Desk, institution, makeMonth, other, regulator, type Sending } from "../support/desk.ts";

const auditor = memberKeyOf("auditor");

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.open(makeMonth("arbitration"));
});

/** A case about an insurance: it has no dependents, so a verdict may do anything to it. */
function insuranceCase(place: number, targets?: readonly CredentialRecord[]) {
  const { worker, insurance } = desk.work(place);
  const about = targets ?? [insurance];
  const draft = caseDraft(desk.context, desk.work(place));
  return {
    ...draft,
    subjects: [worker.serviceKey],
    subjectAddresses: [worker.serviceKey.address, institution.address],
    parents: about.map(({ id }) => ({ id, relation: "concerns" as const })),
  };
}

async function opened(place: number, targets?: readonly CredentialRecord[]) {
  const { status, record } = await desk.submit(insuranceCase(place, targets));
  expect(status).toBe(SUCCESS);
  return record;
}

type Act = { readonly id: Uint8Array; readonly relation: "revokes" | "amends" | "holds" };

function decide(
  dispute: CredentialRecord,
  result: "upheld" | "dismissed",
  acts: readonly Act[] = [],
  sending: Sending = { sender: regulator },
) {
  return desk.submit(verdictDraft(desk.context, dispute, result, acts), sending);
}

async function reasonOf(id: Uint8Array): Promise<Uint8Array | null> {
  const args = encode(credentialIdArgsCodec, { id });
  const { returnValue } = await desk.chain.query("get", args, regulator);
  return decode(storedCredentialCodec, returnValue).standing.reason;
}

async function name(threshold: number, members: readonly TestKey[], sender = regulator) {
  const arbitrators = members.map(({ address }) => address);
  const args = encode(arbitratorPanelCodec, { threshold, arbitrators });
  return (await desk.run("setArbitrators", args, { sender })).status;
}

describe("T-4.4: a case", () => {
  it("holds what it is about, and its dismissal releases it", async () => {
    const about = desk.work(3).insurance;
    const dispute = await opened(3);
    expect((await desk.statusOf(about)).status).toBe("on-hold");
    expect(await reasonOf(about.id)).toEqual(dispute.id);
    const { status, record, receipt } = await decide(dispute, "dismissed");
    expect(status).toBe(SUCCESS);
    expect((await desk.statusOf(about)).status).toBe("active");
    expect((await desk.statusOf(dispute)).status).toBe("closed");
    expect(await reasonOf(dispute.id)).toEqual(record.id);
    expect(receipt.events.map(({ topic }) => topic)).toEqual([
      "credential.status",
      "credential.status",
      "credential.submitted",
    ]);
  });

  it("need not hold anything", async () => {
    const { insurance } = desk.work(3);
    const draft = insuranceCase(3);
    const { evidenceDigest } = decode(caseTermsCodec, draft.terms);
    const terms = encode(caseTermsCodec, { evidenceDigest, holds: false });
    const { status, record } = await desk.submit({ ...draft, terms });
    expect(status).toBe(SUCCESS);
    expect((await desk.statusOf(insurance)).status).toBe("active");
    expect((await decide(record, "dismissed")).status).toBe(SUCCESS);
  });

  it("is filed by a party itself, or by its institution with its signature", async () => {
    const { worker, insurance } = desk.work(4);
    const draft = insuranceCase(4);
    const unsigned = await desk.submit(draft, { coSigners: [] });
    expect(unsigned.status).toBe("CREDENTIAL_COSIGNATURE_MISSING");
    const foreign = await desk.submit(draft, { sender: other });
    expect(foreign.status).toBe("CREDENTIAL_FOREIGN_PARTY");
    const own = await desk.submit(draft, { sender: worker.serviceKey, coSigners: [] });
    expect(own.status).toBe(SUCCESS);
    expect(await desk.revoke(own.record.id, worker.serviceKey)).toBe(SUCCESS);
    expect((await desk.statusOf(insurance)).status).toBe("active");
    expect((await decide(own.record, "dismissed")).status).toBe("CREDENTIAL_CASE_CLOSED");
  });

  it("binds the institution that filed it, which may itself be the respondent", async () => {
    const { worker, insurance } = desk.work(6);
    const dispute = await opened(6);
    const release = actionDraft(desk.context, insurance, "releases");
    expect((await desk.submit(release)).status).toBe("CREDENTIAL_HOLD_FOREIGN");
    expect(await desk.revoke(dispute.id, institution)).toBe("CREDENTIAL_NOT_ISSUER");
    expect((await desk.statusOf(insurance)).status).toBe("on-hold");
    expect(await desk.revoke(dispute.id, worker.serviceKey)).toBe(SUCCESS);
    expect((await desk.statusOf(insurance)).status).toBe("active");
  });

  it("is between two parties of every target", async () => {
    const stranger = desk.work(5).worker.serviceKey;
    const draft = insuranceCase(4);
    for (const subjectAddresses of [
      [stranger.address, institution.address],
      [desk.work(4).worker.serviceKey.address, stranger.address],
      [institution.address, institution.address],
    ]) {
      const { status } = await desk.submit({ ...draft, subjectAddresses, coSigners: [stranger] });
      expect(status).toBe("CREDENTIAL_FOREIGN_PARTY");
    }
    const far = { id: desk.work(5).insurance.id, relation: "concerns" as const };
    const both = await desk.submit({ ...draft, parents: [...draft.parents, far] });
    expect(both.status).toBe("CREDENTIAL_FOREIGN_PARTY");
  });

  it("may be about a risk credential, by whom that is about", async () => {
    const { worker } = desk.work(4);
    const hold = await desk.submit(actionDraft(desk.context, worker.service, "holds"));
    expect(hold.status).toBe(SUCCESS);
    const dispute = await opened(4, [hold.record]);
    expect((await desk.statusOf(hold.record)).status).toBe("on-hold");
    const revokes = { id: hold.record.id, relation: "revokes" as const };
    expect((await decide(dispute, "upheld", [revokes])).status).toBe(SUCCESS);
    const release = await desk.submit(actionDraft(desk.context, worker.service, "releases"));
    expect(release.status).toBe(SUCCESS);
  });
});

describe("T-4.4: a verdict", () => {
  it("revokes, in its own order, what depends on each other", async () => {
    const { tax, payment, insurance } = desk.work(3);
    const dispute = await opened(3, [payment, tax, insurance]);
    const act = ({ id }: CredentialRecord): Act => ({ id, relation: "revokes" });
    const forwards = await decide(dispute, "upheld", [act(payment), act(tax)]);
    expect(forwards.status).toBe("CREDENTIAL_HAS_DEPENDENTS");
    const backwards = await decide(dispute, "upheld", [act(tax), act(payment)]);
    expect(backwards.status).toBe(SUCCESS);
    expect((await desk.statusOf(tax)).status).toBe("revoked");
    expect((await desk.statusOf(payment)).status).toBe("revoked");
    expect((await desk.statusOf(insurance)).status).toBe("active");
  });

  it("orders a correction: on hold until the issuer corrects it", async () => {
    const { worker, insurance } = desk.work(4);
    const dispute = await opened(4);
    const draft = insuranceDraft(desk.context, worker);
    expect((await desk.correct(draft, insurance.id)).status).toBe("CREDENTIAL_NOT_ACTIVE");
    const amends = { id: insurance.id, relation: "amends" as const };
    expect((await decide(dispute, "upheld", [amends])).status).toBe(SUCCESS);
    expect((await desk.statusOf(insurance)).status).toBe("on-hold");
    const { status, record } = await desk.correct(draft, insurance.id);
    expect(status).toBe(SUCCESS);
    expect(await desk.statusOf(insurance)).toMatchObject({
      status: "corrected",
      replacedBy: record.id,
    });
  });

  it("holds on, and a hold that it laid is no order to correct", async () => {
    const { worker, insurance } = desk.work(5);
    const dispute = await opened(5);
    const holds = { id: insurance.id, relation: "holds" as const };
    expect((await decide(dispute, "upheld", [holds])).status).toBe(SUCCESS);
    expect((await desk.statusOf(insurance)).status).toBe("on-hold");
    const draft = insuranceDraft(desk.context, worker);
    expect((await desk.correct(draft, insurance.id)).status).toBe("CREDENTIAL_NOT_ACTIVE");
    const institutional = await desk.submit(actionDraft(desk.context, insurance, "releases"));
    expect(institutional.status).toBe("CREDENTIAL_HOLD_FOREIGN");
    const release = actionDraft(desk.context, insurance, "releases");
    expect((await desk.submit(release, { sender: regulator })).status).toBe(SUCCESS);
  });

  it("is not the respondent's, be it a regulator", async () => {
    const { worker, insurance } = desk.work(6);
    const action = actionDraft(desk.context, insurance, "holds");
    const hold = await desk.submit(action, { sender: regulator });
    expect(hold.status).toBe(SUCCESS);
    const draft = {
      ...insuranceCase(6, [hold.record]),
      subjectAddresses: [worker.serviceKey.address, regulator.address],
    };
    const { status, record: dispute } = await desk.submit(draft, {
      sender: worker.serviceKey,
      coSigners: [],
    });
    expect(status).toBe(SUCCESS);
    expect((await decide(dispute, "dismissed")).status).toBe("CREDENTIAL_ISSUER_UNAUTHORISED");
    expect(await desk.revoke(dispute.id, regulator)).toBe("CREDENTIAL_NOT_ISSUER");
    const sender = memberKeyOf("otherRegulator");
    expect((await decide(dispute, "dismissed", [], { sender })).status).toBe(SUCCESS);
    const release = actionDraft(desk.context, insurance, "releases");
    expect((await desk.submit(release, { sender: regulator })).status).toBe(SUCCESS);
  });

  it("acts on what the case is about and nothing else, and not when it dismisses", async () => {
    const { insurance } = desk.work(5);
    const dispute = await opened(5);
    const outside = { id: desk.work(1).insurance.id, relation: "revokes" as const };
    expect((await decide(dispute, "upheld", [outside])).status).toBe("CREDENTIAL_CASE_TARGET");
    const inside = { id: insurance.id, relation: "revokes" as const };
    expect((await decide(dispute, "dismissed", [inside])).status).toBe("CREDENTIAL_VERDICT_ACT");
    expect((await decide(dispute, "upheld", [])).status).toBe(SUCCESS);
    expect((await decide(dispute, "upheld", [])).status).toBe("CREDENTIAL_CASE_CLOSED");
  });

  it("is final: it is appealed once, by a case that stays within the old one", async () => {
    const { insurance } = desk.work(5);
    const dispute = await opened(5);
    const draft = insuranceCase(5);
    const appeal = { id: dispute.id, relation: "appeals" as const };
    const early = { ...draft, parents: [...draft.parents, appeal] };
    expect((await desk.submit(early)).status).toBe("CREDENTIAL_CASE_OPEN");
    const verdict = await decide(dispute, "upheld", [{ id: insurance.id, relation: "revokes" }]);
    expect(verdict.status).toBe(SUCCESS);
    expect(await desk.revoke(verdict.record.id, regulator)).toBe("CREDENTIAL_NOT_REVOCABLE");
    const { worker } = desk.work(5);
    const wider = [{ id: worker.service.id, relation: "concerns" as const }, appeal];
    expect((await desk.submit({ ...draft, parents: wider })).status).toBe("CREDENTIAL_CASE_TARGET");
    const second = await desk.submit(early);
    expect(second.status).toBe(SUCCESS);
    expect((await desk.submit(early)).status).toBe("CREDENTIAL_ALREADY_APPEALED");
    expect((await decide(second.record, "dismissed")).status).toBe(SUCCESS);
    const args = encode(traceArgsCodec, { id: second.record.id, offset: 0, limit: 100 });
    const { returnValue } = await desk.chain.query("trace", args, auditor);
    const types = decode(tracePageCodec, returnValue).items.map(({ type }) => type);
    expect(types.slice(0, 3).sort()).toEqual([
      "arbitration.case",
      "arbitration.case",
      "bill.insurance",
    ]);
  });
});

describe("T-4.5-1: arbitrators", () => {
  it("are named by a regulator, active, of the right roles, none twice", async () => {
    const { serviceKey } = desk.work(1).worker;
    const invalid = "CREDENTIAL_ARBITRATORS_INVALID";
    expect(await name(1, [other], institution)).toBe("VM_ACCESS_DENIED");
    expect(await name(0, [other])).toBe(invalid);
    expect(await name(2, [other])).toBe(invalid);
    expect(await name(1, [other, other])).toBe(invalid);
    expect(await name(1, [serviceKey])).toBe(invalid);
    expect(await name(1, [])).toBe(invalid);
  });

  it("decide k of n, and who is a party to the case does not count", async () => {
    const dispute = await opened(1);
    const alone = await decide(dispute, "dismissed", [], { sender: other });
    expect(alone.status).toBe("CREDENTIAL_ISSUER_UNAUTHORISED");
    expect(await name(2, [other, auditor, institution])).toBe(SUCCESS);
    const one = await decide(dispute, "dismissed", [], { sender: other });
    expect(one.status).toBe("CREDENTIAL_COSIGNATURE_MISSING");
    const partial = { sender: other, coSigners: [institution] };
    const biased = await decide(dispute, "dismissed", [], partial);
    expect(biased.status).toBe("CREDENTIAL_COSIGNATURE_MISSING");
    const both = await decide(dispute, "dismissed", [], { sender: other, coSigners: [auditor] });
    expect(both.status).toBe(SUCCESS);
    const { returnValue } = await desk.chain.query("arbitrators", Uint8Array.of(0x90), auditor);
    expect(decode(arbitratorPanelCodec, returnValue).threshold).toBe(2);
  });

  it("do not lift alone the hold that they laid together", async () => {
    const { insurance } = desk.work(7);
    const dispute = await opened(7);
    const holds = { id: insurance.id, relation: "holds" as const };
    const together = { sender: other, coSigners: [auditor] };
    expect((await decide(dispute, "upheld", [holds], together)).status).toBe(SUCCESS);
    const release = actionDraft(desk.context, insurance, "releases");
    const alone = await desk.submit(release, { sender: other });
    expect(alone.status).toBe("CREDENTIAL_HOLD_FOREIGN");
    expect((await desk.submit(release, { sender: regulator })).status).toBe(SUCCESS);
  });

  it("sign from their own nodes", async () => {
    const dispute = await opened(1);
    const draft = verdictDraft(desk.context, dispute, "dismissed", []);
    const record = desk.make(draft, { sender: other });
    expect((await desk.propose(record, { sender: other })).status).toBe(SUCCESS);
    expect((await desk.statusOf(dispute)).status).toBe("active");
    const stranger = await desk.sign(record, desk.work(1).worker.serviceKey);
    expect(stranger.status).toBe("CREDENTIAL_SIGNER_NOT_WANTED");
    expect((await desk.sign(record, auditor)).status).toBe(SUCCESS);
    expect((await desk.statusOf(record)).status).toBe("active");
    expect((await desk.statusOf(dispute)).status).toBe("closed");
  });
});

it("a held contract stops work while the case is open", async () => {
  const { worker } = desk.work(1);
  const dispute = await opened(1, [worker.service]);
  const task = taskDraft(desk.context, worker, 0);
  expect((await desk.submit(task)).status).toBe("CREDENTIAL_PARENT_ON_HOLD");
  expect((await decide(dispute, "dismissed")).status).toBe(SUCCESS);
  expect((await desk.submit(task)).status).toBe(SUCCESS);
});

it("every code of this suite was met", () => {
  expect(missingCodes("arbitration", desk.seen)).toEqual([]);
});
