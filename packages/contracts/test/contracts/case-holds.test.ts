import { SUCCESS } from "@credlink/ledger";
import { decode, encode } from "@credlink/primitives";
import { createSeededRandom } from "@credlink/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import {
  actionDraft,
  caseDraft,
  insuranceDraft,
  verdictDraft,
} from "../../../../examples/src/month/index.ts";
import {
  CREDENTIAL_CONTRACT,
  type CredentialRecord,
  caseHoldKey,
  credentialIdArgsCodec,
  storedCredentialCodec,
} from "../../src/index.ts";
import { Desk, institution, makeMonth, regulator } from "../support/desk.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.open(makeMonth("case-holds"));
});

/** A case of a worker against the institution about its own insurances, which it holds. */
async function opened(place: number, targets?: readonly CredentialRecord[]) {
  const { worker, insurance } = desk.work(place);
  const { status, record } = await desk.submit({
    ...caseDraft(desk.context, desk.work(place)),
    subjects: [worker.serviceKey],
    subjectAddresses: [worker.serviceKey.address, institution.address],
    parents: (targets ?? [insurance]).map(({ id }) => ({ id, relation: "concerns" as const })),
  });
  expect(status).toBe(SUCCESS);
  return record;
}

/** Another insurance of a worker. */
async function insured(place: number) {
  const draft = insuranceDraft(desk.context, desk.work(place).worker);
  const { status, record } = await desk.submit(draft);
  expect(status).toBe(SUCCESS);
  return record;
}

async function dismissed(dispute: CredentialRecord) {
  const draft = verdictDraft(desk.context, dispute, "dismissed", []);
  expect((await desk.submit(draft, { sender: regulator })).status).toBe(SUCCESS);
}

async function upheld(
  dispute: CredentialRecord,
  target: CredentialRecord,
  relation: "revokes" | "amends" | "holds",
) {
  const act = { id: target.id, relation };
  const draft = verdictDraft(desk.context, dispute, "upheld", [act]);
  const { status, record } = await desk.submit(draft, { sender: regulator });
  expect(status).toBe(SUCCESS);
  return record;
}

async function act(
  target: CredentialRecord,
  relation: "holds" | "releases",
  sender: typeof regulator,
) {
  return desk.submit(actionDraft(desk.context, target, relation), { sender });
}

async function standingOf({ id }: CredentialRecord) {
  const args = encode(credentialIdArgsCodec, { id });
  const { returnValue } = await desk.chain.query("get", args, regulator);
  return decode(storedCredentialCodec, returnValue).standing;
}

/** What the state has of a case's hold. */
function holdOf(target: CredentialRecord, dispute: CredentialRecord) {
  const { ledger } = desk.chain;
  const key = caseHoldKey(target.id, dispute.id);
  return ledger.stateAt(ledger.head.digest)?.get(CREDENTIAL_CONTRACT, key);
}

const worker = (place: number) => desk.work(place).worker.serviceKey;

describe("T-4.4: a credential that several open cases hold", () => {
  it("stays on hold until the last of them is decided, in whatever order", async () => {
    const { insurance } = desk.work(1);
    for (const order of [
      [0, 1],
      [1, 0],
      [2, 0, 1],
      [1, 2, 0],
    ]) {
      const cases: CredentialRecord[] = [];
      for (const _ of order) cases.push(await opened(1));
      for (const [done, place] of order.entries()) {
        const { status, reason } = await standingOf(insurance);
        expect(status).toBe("on-hold");
        const open = order.slice(done).map((each) => cases[each]?.id);
        expect(open).toContainEqual(reason);
        await dismissed(cases[place] ?? insurance);
      }
      expect((await standingOf(insurance)).status).toBe("active");
    }
  });

  it("is not released by a case that its claimant takes back", async () => {
    const { insurance } = desk.work(1);
    const [first, second] = [await opened(1), await opened(1)];
    expect(await desk.revoke(first.id, worker(1))).toBe(SUCCESS);
    expect(await standingOf(insurance)).toMatchObject({ status: "on-hold", reason: second.id });
    expect(holdOf(insurance, first)).toBeNull();
    expect(holdOf(insurance, second)).toEqual(second.id);
    expect(await desk.revoke(second.id, worker(1))).toBe(SUCCESS);
    expect((await standingOf(insurance)).status).toBe("active");
  });

  it("is revoked by one verdict, and the other case still ends", async () => {
    const record = await insured(2);
    const [first, second] = [await opened(2, [record]), await opened(2, [record])];
    await upheld(second, record, "revokes");
    expect((await standingOf(record)).status).toBe("revoked");
    await dismissed(first);
    expect((await standingOf(record)).status).toBe("revoked");
  });

  it("keeps a verdict's hold when the other case ends", async () => {
    const { insurance } = desk.work(3);
    const [first, second] = [await opened(3), await opened(3)];
    const verdict = await upheld(first, insurance, "holds");
    await dismissed(second);
    expect(await standingOf(insurance)).toMatchObject({ status: "on-hold", reason: verdict.id });
    expect((await act(insurance, "releases", regulator)).status).toBe(SUCCESS);
    expect((await standingOf(insurance)).status).toBe("active");
  });

  it("is corrected as a verdict orders once no other case holds it", async () => {
    const { worker: person, insurance } = desk.work(4);
    const [first, second] = [await opened(4), await opened(4)];
    await upheld(first, insurance, "amends");
    const draft = insuranceDraft(desk.context, person);
    expect((await desk.correct(draft, insurance.id)).status).toBe("CREDENTIAL_NOT_ACTIVE");
    await dismissed(second);
    expect((await desk.correct(draft, insurance.id)).status).toBe(SUCCESS);
    expect((await standingOf(insurance)).status).toBe("corrected");
  });
});

describe("T-4.4: who may not lift a hold does not revoke under it", () => {
  it("the issuer, while a case is open; after a dismissal it may", async () => {
    const record = await insured(2);
    const [first, second] = [await opened(2, [record]), await opened(2, [record])];
    expect(await desk.revoke(record.id, institution)).toBe("CREDENTIAL_HOLD_FOREIGN");
    await dismissed(second);
    expect(await desk.revoke(record.id, institution)).toBe("CREDENTIAL_HOLD_FOREIGN");
    expect(await standingOf(record)).toMatchObject({ status: "on-hold", reason: first.id });
    await dismissed(first);
    expect(await desk.revoke(record.id, institution)).toBe(SUCCESS);
  });

  it.each(["holds", "amends"] as const)("the issuer, what a verdict %s", async (relation) => {
    const record = await insured(2);
    await upheld(await opened(2, [record]), record, relation);
    expect(await desk.revoke(record.id, institution)).toBe("CREDENTIAL_HOLD_FOREIGN");
    expect(await desk.revoke(record.id, regulator)).toBe(SUCCESS);
  });

  it("the issuer, what a regulator holds; its own hold it may, unless a case holds besides", async () => {
    const record = await insured(2);
    expect((await act(record, "holds", regulator)).status).toBe(SUCCESS);
    expect(await desk.revoke(record.id, institution)).toBe("CREDENTIAL_HOLD_FOREIGN");
    expect((await act(record, "releases", regulator)).status).toBe(SUCCESS);
    expect((await act(record, "holds", institution)).status).toBe(SUCCESS);
    const dispute = await opened(2, [record]);
    expect(await desk.revoke(record.id, institution)).toBe("CREDENTIAL_HOLD_FOREIGN");
    await dismissed(dispute);
    expect(await desk.revoke(record.id, institution)).toBe(SUCCESS);
  });

  it("a regulator may, while a case is open, which still ends", async () => {
    const record = await insured(2);
    const dispute = await opened(2, [record]);
    expect(await desk.revoke(record.id, regulator)).toBe(SUCCESS);
    await dismissed(dispute);
    expect((await standingOf(record)).status).toBe("revoked");
  });
});

describe("T-4.4: a case beside a risk credential's hold", () => {
  it("keeps on hold what the institution releases", async () => {
    const { insurance } = desk.work(5);
    expect((await act(insurance, "holds", institution)).status).toBe(SUCCESS);
    const dispute = await opened(5);
    expect((await act(insurance, "releases", institution)).status).toBe(SUCCESS);
    expect(await standingOf(insurance)).toMatchObject({ status: "on-hold", reason: dispute.id });
    expect((await act(insurance, "releases", institution)).status).toBe("CREDENTIAL_HOLD_FOREIGN");
    await dismissed(dispute);
    expect((await standingOf(insurance)).status).toBe("active");
  });

  it("leaves the hold of a risk credential where it was", async () => {
    const { insurance } = desk.work(5);
    const hold = await act(insurance, "holds", institution);
    await dismissed(await opened(5));
    expect(await standingOf(insurance)).toMatchObject({
      status: "on-hold",
      reason: hold.record.id,
    });
    expect((await act(insurance, "releases", institution)).status).toBe(SUCCESS);
    expect((await standingOf(insurance)).status).toBe("active");
  });

  it("gives way to a regulator, who lifts the holds of all cases", async () => {
    const { insurance } = desk.work(5);
    const cases: CredentialRecord[] = [];
    for (let count = 0; count < 6; count++) cases.push(await opened(5));
    expect((await act(insurance, "releases", regulator)).status).toBe(SUCCESS);
    expect((await standingOf(insurance)).status).toBe("active");
    // Nothing of them is left to come back when another hold ends.
    expect((await act(insurance, "holds", institution)).status).toBe(SUCCESS);
    expect((await act(insurance, "releases", institution)).status).toBe(SUCCESS);
    expect((await standingOf(insurance)).status).toBe("active");
    for (const dispute of cases) await dismissed(dispute);
    expect((await standingOf(insurance)).status).toBe("active");
  });
});

it("T-4.4: what is held is what open cases hold, in any interleaving", async () => {
  const random = createSeededRandom(20_261_127);
  const targets = [desk.work(6).insurance, desk.work(6).payment, desk.work(6).tax];
  const open: { readonly dispute: CredentialRecord; readonly about: CredentialRecord[] }[] = [];
  for (let turn = 0; turn < 40 || open.length > 0; turn++) {
    const opens = turn < 40 && (open.length === 0 || random.chance(0.5));
    if (opens) {
      const about = targets.filter(() => random.chance(0.5));
      if (about.length === 0) continue;
      open.push({ dispute: await opened(6, about), about });
    } else {
      const [ended] = open.splice(random.between(0, open.length), 1);
      if (ended !== undefined) await dismissed(ended.dispute);
    }
    for (const target of targets) {
      const holders = open.filter(({ about }) => about.includes(target));
      const { status, reason } = await standingOf(target);
      expect(status).toBe(holders.length > 0 ? "on-hold" : "active");
      if (holders.length > 0)
        expect(holders.map(({ dispute }) => dispute.id)).toContainEqual(reason);
    }
  }
});
