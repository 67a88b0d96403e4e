import { SUCCESS } from "@credlink/ledger";
import { decode, encode } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import {
  acceptanceDraft,
  insuranceDraft,
  taskDraft,
} from "../../../../examples/src/month/index.ts";
import {
  type CredentialRecord,
  MAX_SUBMISSIONS,
  submitAllArgsCodec,
  submittedCodec,
} from "../../src/index.ts";
import { Desk, makeMonth, other, type Sending, topicsOf } from "../support/desk.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.open(makeMonth("submit-all", 6));
});

function submitAll(records: readonly CredentialRecord[], sending: Sending = {}) {
  return desk.run("submitAll", encode(submitAllArgsCodec, { records }), sending);
}

/** That many records which need the institution's signature alone. */
function insurances(count: number): readonly CredentialRecord[] {
  const { worker } = desk.work(0);
  return Array.from({ length: count }, () => desk.make(insuranceDraft(desk.context, worker)));
}

/** Tasks of the first worker, and the acceptance of all of them. */
function tasksAndAcceptance(count: number) {
  const { worker } = desk.work(0);
  const tasks = Array.from({ length: count }, (_, i) =>
    desk.make(taskDraft(desk.context, worker, i)),
  );
  const acceptance = desk.make(acceptanceDraft(desk.context, worker, tasks));
  return { tasks, acceptance, coSigners: [worker.enterprise.frameworkKey, worker.serviceKey] };
}

/** Nothing of a refused call stays. */
async function expectRefusal(code: string, send: () => ReturnType<typeof submitAll>) {
  const before = desk.chain.stateRoot;
  const { status, events } = await send();
  expect(status).toBe(code);
  expect(events).toEqual([]);
  expect(desk.chain.stateRoot).toBe(before);
}

describe("T-4.3: many credentials in one transaction", () => {
  it("a later one may rest on those before it, and all carry the same signatures", async () => {
    const { tasks, acceptance, coSigners } = tasksAndAcceptance(3);
    const records = [...tasks, acceptance];
    const receipt = await submitAll(records, { coSigners });
    expect(receipt.status).toBe(SUCCESS);
    expect(decode(submittedCodec, receipt.returnValue)).toEqual(records.map(({ id }) => id));
    expect(topicsOf(receipt)).toEqual(records.map(() => "credential.submitted"));
    const signed = await Promise.all(records.map(({ id }) => desk.load(id)));
    for (const [i, { record, coSigners: by }] of signed.entries()) {
      expect(record).toEqual(records[i]);
      expect(by).toHaveLength(coSigners.length);
    }
  });

  it("not before them", async () => {
    const { tasks, acceptance, coSigners } = tasksAndAcceptance(2);
    await expectRefusal("CREDENTIAL_PARENT_MISSING", () =>
      submitAll([acceptance, ...tasks], { coSigners }),
    );
  });

  it("takes as many as it says, and neither none nor one more", async () => {
    const receipt = await submitAll(insurances(MAX_SUBMISSIONS));
    expect(receipt.status).toBe(SUCCESS);
    expect(receipt.events).toHaveLength(MAX_SUBMISSIONS);
    await expectRefusal("CREDENTIAL_MALFORMED", () => submitAll([]));
    const args = encode(submitAllArgsCodec, { records: insurances(MAX_SUBMISSIONS) });
    // A list of 33: its head counts one more, and its last record stands twice.
    const [record = expect.fail("no record")] = insurances(1);
    const last = encode(submitAllArgsCodec, { records: [record] }).subarray(2);
    const tooMany = Uint8Array.from([...args, ...last]);
    new DataView(tooMany.buffer).setUint16(2, MAX_SUBMISSIONS + 1);
    await expectRefusal("CREDENTIAL_MALFORMED", () => desk.run("submitAll", tooMany));
  });

  it.each([0, 1, 4])("one that is refused refuses all, at place %i of 5", async (place) => {
    const records = [...insurances(5)];
    const [bad = expect.fail("no record")] = records.splice(place, 1);
    const wrong = { ...bad, schema: "bill.insurance/9" };
    await expectRefusal("CREDENTIAL_SCHEMA_VERSION", () =>
      submitAll([...records.slice(0, place), wrong, ...records.slice(place)]),
    );
  });

  it("an id counts once", async () => {
    const [record = expect.fail("no record")] = insurances(1);
    await expectRefusal("CREDENTIAL_DUPLICATE_ID", () => submitAll([record, record]));
  });

  it("what one used up the next cannot use", async () => {
    const { tasks, acceptance, coSigners } = tasksAndAcceptance(1);
    const again = { ...acceptance, id: new Uint8Array(32).fill(7) };
    await expectRefusal("CREDENTIAL_ALREADY_ACCEPTED", () =>
      submitAll([...tasks, acceptance, again], { coSigners }),
    );
  });

  it("every party of every record signs", async () => {
    const { tasks, coSigners } = tasksAndAcceptance(2);
    const [record = expect.fail("no record")] = insurances(1);
    await expectRefusal("CREDENTIAL_COSIGNATURE_MISSING", () =>
      submitAll([record, ...tasks], { coSigners: coSigners.slice(0, 1) }),
    );
  });

  it("nobody issues in another's name", async () => {
    const [own = expect.fail("no record"), foreign = own] = insurances(2);
    await expectRefusal("CREDENTIAL_ISSUER_NOT_SENDER", () =>
      submitAll([own, { ...foreign, issuer: other.address }]),
    );
  });

  it("trailing bytes are refused", async () => {
    const args = encode(submitAllArgsCodec, { records: insurances(1) });
    await expectRefusal("CREDENTIAL_MALFORMED", () =>
      desk.run("submitAll", Uint8Array.from([...args, 0])),
    );
  });
});
