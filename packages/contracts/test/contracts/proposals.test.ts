import { BUILT_IN_VERSION, SUCCESS, setMemberStatusArgsCodec } from "@credlink/ledger";
import { decode, encode } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import {
  acceptanceDraft,
  identityDraft,
  insuranceDraft,
  serviceDraft,
  taskDraft,
} from "../../../../examples/src/month/index.ts";
import {
  type CredentialRecord,
  credentialIdArgsCodec,
  PROPOSAL_TOPIC,
  proposalAnswerCodec,
  proposalCodec,
  proposalEventCodec,
  recordDigest,
  signArgsCodec,
  storedCredentialCodec,
  submitArgsCodec,
} from "../../src/index.ts";
import { missingCodes } from "../support/codes.ts";
import { DAY_MS, memberKeyOf } from "../support/consortium.ts";
import { Desk, institution, makeMonth, other, regulator, topicsOf } from "../support/desk.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.open(makeMonth("proposals"));
});

/** A fresh task of a worker, unsent, and its two parties' keys. */
function task(place = 0) {
  const { worker } = desk.work(place);
  const record = desk.make(taskDraft(desk.context, worker, 0));
  return { record, worker, enterprise: worker.enterprise.frameworkKey, person: worker.serviceKey };
}

async function proposed(place = 0) {
  const made = task(place);
  expect((await desk.propose(made.record)).status).toBe(SUCCESS);
  return made;
}

async function stored(record: CredentialRecord) {
  const args = encode(credentialIdArgsCodec, { id: record.id });
  const { returnValue } = await desk.chain.query("get", args, regulator);
  return decode(storedCredentialCodec, returnValue);
}

describe("T-4.5-1: signatures of several parties, each in a transaction of its own", () => {
  it("the last missing signature makes the record a credential", async () => {
    const { record, enterprise, person } = task();
    const first = await desk.propose(record);
    expect(topicsOf(first)).toEqual([PROPOSAL_TOPIC]);
    expect((await desk.statusOf(record)).status).toBe("proposed");
    const second = await desk.sign(record, person);
    const answer = decode(proposalAnswerCodec, second.returnValue);
    expect(answer).toEqual({ id: record.id, status: "co-signing" });
    expect(decode(proposalEventCodec, second.events[0]?.data ?? new Uint8Array())).toMatchObject({
      status: "co-signing",
      by: person.address,
    });
    expect((await desk.statusOf(record)).status).toBe("co-signing");
    const last = await desk.sign(record, enterprise);
    expect(topicsOf(last)).toEqual(["credential.submitted"]);
    expect(decode(proposalAnswerCodec, last.returnValue).status).toBe("active");
    expect(await desk.statusOf(record)).toMatchObject({
      type: "transaction.task",
      status: "active",
    });
    const { issue, standing } = await stored(record);
    const signers = [enterprise.address, person.address].map(String).sort();
    expect(issue.coSigners.map(String).sort()).toEqual(signers);
    expect(standing.by).toEqual(institution.address);
    const { worker } = desk.work(0);
    const accepted = acceptanceDraft(desk.context, worker, [record]);
    expect((await desk.submit(accepted)).status).toBe(SUCCESS);
  });

  it("the same record with all signatures in one transaction gives the same bytes", async () => {
    const { record, enterprise, person } = task();
    const receipt = await desk.propose(record, { coSigners: [enterprise, person] });
    expect(receipt.status).toBe(SUCCESS);
    expect(decode(proposalAnswerCodec, receipt.returnValue).status).toBe("active");
    expect((await stored(record)).record).toEqual(record);
  });

  it("counts parties that sign the proposal itself, or together", async () => {
    const one = task();
    const first = await desk.propose(one.record, { coSigners: [one.person] });
    expect(decode(proposalAnswerCodec, first.returnValue).status).toBe("co-signing");
    expect((await desk.sign(one.record, one.enterprise)).status).toBe(SUCCESS);
    const two = await proposed();
    const both = await desk.sign(two.record, two.person, { coSigners: [two.enterprise] });
    expect(decode(proposalAnswerCodec, both.returnValue).status).toBe("active");
  });

  it("shows what is to be signed to any member", async () => {
    const { record, person } = await proposed();
    await desk.sign(record, person);
    const args = encode(credentialIdArgsCodec, { id: record.id });
    const { returnValue } = await desk.chain.query("proposal", args, memberKeyOf("auditor"));
    const shown = decode(proposalCodec, returnValue);
    expect(shown.record).toEqual(record);
    expect(shown.digest).toEqual(recordDigest(record));
    expect(shown.signers).toEqual([person.address]);
    expect(shown.correction).toBeNull();
  });

  it("a correction is proposed and signed alike", async () => {
    const { record, worker, enterprise, person } = task();
    const coSigners = [enterprise, person];
    await desk.propose(record, { coSigners });
    const better = desk.make(taskDraft(desk.context, worker, 1));
    expect((await desk.propose(better, { corrects: record.id })).status).toBe(SUCCESS);
    await desk.sign(better, enterprise);
    expect((await desk.statusOf(record)).status).toBe("active");
    expect((await desk.sign(better, person)).status).toBe(SUCCESS);
    expect(await desk.statusOf(record)).toMatchObject({
      status: "corrected",
      replacedBy: better.id,
    });
    expect((await stored(better)).issue.replaces).toEqual(record.id);
  });

  it("contracts wait for both keys of the person", async () => {
    const { context, month } = desk;
    const { worker } = desk.work(1);
    const parties = {
      person: { ...month.stranger, index: 40 },
      enterprise: worker.enterprise,
      attester: month.institution,
    };
    const identity = desk.make(identityDraft(context, parties.person, parties.attester));
    await desk.propose(identity);
    expect((await desk.sign(identity, parties.person.identityKey)).status).toBe(SUCCESS);
    const service = desk.make(serviceDraft(context, { ...parties, identity }));
    await desk.propose(service);
    await desk.sign(service, parties.person.serviceKey);
    expect((await desk.statusOf(service)).status).toBe("co-signing");
    await desk.sign(service, parties.person.identityKey);
    expect((await desk.statusOf(service)).status).toBe("active");
  });
});

describe("what is refused", () => {
  it("another digest than the record's", async () => {
    const { record, person } = await proposed();
    const digest = recordDigest({ ...record, level: 1 });
    const args = encode(signArgsCodec, { id: record.id, digest });
    const { status } = await desk.run("sign", args, { sender: person });
    expect(status).toBe("CREDENTIAL_PROPOSAL_DIGEST");
  });

  it("a signature that nobody wants, and one that is there already", async () => {
    const { record, person } = await proposed();
    for (const stranger of [other, regulator, institution, desk.work(1).worker.serviceKey]) {
      expect((await desk.sign(record, stranger)).status).toBe("CREDENTIAL_SIGNER_NOT_WANTED");
    }
    const declined = await desk.decline(record, desk.work(1).worker.serviceKey);
    expect(declined.status).toBe("CREDENTIAL_SIGNER_NOT_WANTED");
    expect((await desk.sign(record, person)).status).toBe(SUCCESS);
    expect((await desk.sign(record, person)).status).toBe("CREDENTIAL_ALREADY_SIGNED");
  });

  it("its id to another record, and to the same one beside it", async () => {
    const { record, enterprise, person } = await proposed();
    const coSigners = [enterprise, person];
    const taken = await desk.submit(taskDraft(desk.context, desk.work(1).worker, 0), {
      change: (another) => ({ ...another, id: record.id }),
    });
    expect(taken.status).toBe("CREDENTIAL_DUPLICATE_ID");
    const again = await desk.propose(record, { coSigners });
    expect(again.status).toBe("CREDENTIAL_DUPLICATE_ID");
    const beside = await desk.run("submit", encode(submitArgsCodec, record), { coSigners });
    expect(beside.status).toBe("CREDENTIAL_DUPLICATE_ID");
    expect((await desk.sign(record, person, { coSigners: [enterprise] })).status).toBe(SUCCESS);
    expect((await stored(record)).record).toEqual(record);
  });

  it("a dependence on what is not active yet", async () => {
    const { record, worker, person } = await proposed();
    const accepted = acceptanceDraft(desk.context, worker, [record]);
    expect((await desk.submit(accepted)).status).toBe("CREDENTIAL_PARENT_PROPOSED");
    await desk.sign(record, person);
    expect((await desk.submit(accepted)).status).toBe("CREDENTIAL_PARENT_PROPOSED");
    expect(await desk.revoke(record.id)).toBe("CREDENTIAL_UNKNOWN");
  });

  it("signing what was declined or withdrawn", async () => {
    const first = await proposed();
    expect((await desk.decline(first.record, first.person)).status).toBe(SUCCESS);
    expect((await desk.statusOf(first.record)).status).toBe("declined");
    const second = await proposed();
    const foreign = await desk.withdraw(second.record, other);
    expect(foreign.status).toBe("CREDENTIAL_NOT_ISSUER");
    expect((await desk.withdraw(second.record)).status).toBe(SUCCESS);
    expect((await desk.statusOf(second.record)).status).toBe("withdrawn");
    for (const { record, enterprise } of [first, second]) {
      expect((await desk.sign(record, enterprise)).status).toBe("CREDENTIAL_PROPOSAL_CLOSED");
      expect((await desk.decline(record, enterprise)).status).toBe("CREDENTIAL_PROPOSAL_CLOSED");
      expect((await desk.withdraw(record)).status).toBe("CREDENTIAL_PROPOSAL_CLOSED");
      expect((await desk.propose(record)).status).toBe("CREDENTIAL_DUPLICATE_ID");
    }
  });

  it("an end that is past or more than 31 days away", async () => {
    const { record } = task();
    for (const openMs of [0, 1_000, 31 * DAY_MS + 1_001]) {
      const { status } = await desk.propose(record, { openMs });
      expect(status).toBe("CREDENTIAL_PROPOSAL_TERM");
    }
    expect((await desk.propose(record, { openMs: 31 * DAY_MS + 1_000 })).status).toBe(SUCCESS);
  });

  it("what is wrong with the record, when it is proposed", async () => {
    const draft = taskDraft(desk.context, desk.work(0).worker, 0);
    const early = desk.make({ ...draft, validFromMs: desk.context.startMs - DAY_MS });
    expect((await desk.propose(early)).status).toBe("CREDENTIAL_TIME_INVERSION");
    const foreign = desk.make(draft, { sender: other });
    const { status } = await desk.propose(foreign, { sender: other });
    expect(status).toBe("CREDENTIAL_FOREIGN_PARTY");
    expect((await desk.propose(foreign)).status).toBe("CREDENTIAL_ISSUER_NOT_SENDER");
  });

  it("what has become wrong with it, when the last party signs", async () => {
    const { context } = desk;
    const { worker, tasks } = desk.work(2);
    const { enterprise, record, person } = await proposed(2);
    await desk.sign(record, person);
    expect(await desk.revoke(worker.service.id)).toBe(SUCCESS);
    expect((await desk.sign(record, enterprise)).status).toBe("CREDENTIAL_PARENT_REVOKED");
    expect((await desk.statusOf(record)).status).toBe("co-signing");
    // Two proposals use one task up: the first to be signed by all has it.
    const { worker: next } = desk.work(3);
    const work = taskDraft(context, next, 2);
    const fresh = (await desk.submit(work)).record;
    const twice = [0, 1].map(() => desk.make(acceptanceDraft(context, next, [fresh])));
    for (const one of twice) expect((await desk.propose(one)).status).toBe(SUCCESS);
    const signer = next.enterprise.frameworkKey;
    const results = [];
    for (const one of twice) results.push((await desk.sign(one, signer)).status);
    expect(results).toEqual([SUCCESS, "CREDENTIAL_ALREADY_ACCEPTED"]);
    expect(tasks.length).toBe(3);
  });

  it("a party that signed and was suspended since", async () => {
    const { record, enterprise, person } = await proposed(4);
    await desk.sign(record, person);
    const setStatus = (status: "suspended" | "active") =>
      desk.chain.run({
        sender: regulator,
        contract: "members",
        version: BUILT_IN_VERSION,
        method: "setStatus",
        args: encode(setMemberStatusArgsCodec, { address: person.address, status }),
      });
    expect((await setStatus("suspended")).status).toBe(SUCCESS);
    expect((await desk.sign(record, enterprise)).status).toBe("CREDENTIAL_SIGNER_INACTIVE");
    expect((await setStatus("active")).status).toBe(SUCCESS);
    expect((await desk.sign(record, enterprise)).status).toBe(SUCCESS);
  });

  it("an index that somebody else took in between", async () => {
    const { context, month } = desk;
    const person = { ...month.stranger, index: 41, identityKey: desk.work(5).worker.identityKey };
    const twin = identityDraft(context, { ...person, ...twinFacts(6) }, month.institution);
    const record = desk.make(twin);
    expect((await desk.propose(record)).status).toBe(SUCCESS);
    const signed = await desk.sign(record, person.identityKey);
    expect(signed.status).toBe("CREDENTIAL_INDEX_DUPLICATE");
  });
});

/** The identifiers of a person who has an identity already. */
function twinFacts(place: number) {
  const { identityNumber, mobile } = desk.work(place).worker;
  return { identityNumber, mobile };
}

describe("an end by block time", () => {
  it("after it nobody signs, and the status says so", async () => {
    const { record, enterprise, person } = await proposed(5);
    await desk.sign(record, person);
    const untilMs = desk.nowMs + DAY_MS;
    const late = await desk.sign(record, enterprise, { timestampMs: untilMs });
    expect(late.status).toBe("CREDENTIAL_PROPOSAL_LAPSED");
    expect((await desk.statusOf(record)).status).toBe("lapsed");
    expect((await desk.withdraw(record)).status).toBe("CREDENTIAL_PROPOSAL_LAPSED");
    const insurance = insuranceDraft(desk.context, desk.work(5).worker);
    expect((await desk.submit(insurance)).status).toBe(SUCCESS);
  });

  it("at its last moment it is still signed", async () => {
    const { record, enterprise, person } = task(5);
    const untilMs = desk.nowMs + DAY_MS;
    await desk.propose(record);
    await desk.sign(record, person);
    const last = await desk.sign(record, enterprise, { timestampMs: untilMs - 1 });
    expect(last.status).toBe(SUCCESS);
  });
});

it("every code of this suite was met", () => {
  expect(missingCodes("proposals", desk.seen)).toEqual([]);
});
