import { isZeroPointSum } from "@credlink/crypto";
import { SUCCESS } from "@credlink/ledger";
import { concatBytes, toHex } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import type { CredentialDraft, Work } from "../../../../examples/src/index.ts";
import {
  acceptanceDraft,
  insuranceDraft,
  invoiceDraft,
  paymentDraft,
  redInvoiceDraft,
  settlementDraft,
  taskDraft,
  taxDraft,
} from "../../../../examples/src/month/index.ts";
import { amountPaths, commitAmount, createOpenings } from "../../src/index.ts";
import { missingCodes } from "../support/codes.ts";
import { Desk, makeMonth } from "../support/desk.ts";

let desk: Desk;
/** A worker's chain from task to tax, with nothing used up yet by what the tests make of it. */
let fresh: Work;
beforeAll(async () => {
  desk = await Desk.open(makeMonth("amounts"));
  fresh = await business(0);
});

async function taken(draft: CredentialDraft) {
  const { status, record } = await desk.submit(draft);
  expect(status, draft.name).toBe(SUCCESS);
  return record;
}

/** Two acceptances of a worker, of 60 and 40 yuan, and one of a hundred of their settlement. */
async function business(place: number): Promise<Work> {
  const { context } = desk;
  const known = desk.work(place);
  const { worker } = known;
  const tasks = [
    await taken(taskDraft(context, worker, 0)),
    await taken(taskDraft(context, worker, 1)),
  ];
  const amountsFen = [60_00n, 40_00n];
  const acceptances = [];
  for (const [i, task] of tasks.entries()) {
    acceptances.push(await taken(acceptanceDraft(context, worker, [task], amountsFen[i])));
  }
  return { ...known, tasks, acceptances, amountsFen, grossFen: 100_00n, netFen: 93_00n };
}

/** A draft whose payload, and so its amounts, were changed. */
function changed<T extends CredentialDraft>(draft: T, payload: CredentialDraft["payload"]) {
  return { ...draft, payload: { ...draft.payload, ...payload } };
}

const MISMATCH = "CREDENTIAL_SUM_MISMATCH";

async function refusal(draft: CredentialDraft): Promise<string> {
  const before = desk.chain.stateRoot;
  const { status } = await desk.submit(draft);
  if (status !== SUCCESS) expect(desk.chain.stateRoot).toBe(before);
  return status;
}

describe("sums that the contract checks", () => {
  it("settlement on acceptances: gross is their sum", async () => {
    const { worker, acceptances } = fresh;
    const { context } = desk;
    const settle = (amounts: readonly bigint[]) =>
      settlementDraft(context, worker, acceptances, amounts);
    expect(await refusal(settle([60_00n, 40_01n]))).toBe(MISMATCH);
    expect(await refusal(settle([60_00n, 39_99n]))).toBe(MISMATCH);
    const one = settlementDraft(context, worker, acceptances.slice(0, 1), [60_01n]);
    expect(await refusal(one)).toBe(MISMATCH);
  });

  it("settlement alone: gross is fee, tax and net", async () => {
    const { worker, acceptances } = fresh;
    const draft = settlementDraft(desk.context, worker, acceptances, [60_00n, 40_00n]);
    expect(await refusal(changed(draft, { net: 93_01n }))).toBe(MISMATCH);
    expect(await refusal(changed(draft, { serviceFee: 6_01n }))).toBe(MISMATCH);
    expect(await refusal(changed(draft, { taxWithheld: 0n }))).toBe(MISMATCH);
  });

  it("payment on settlement, tax on payments, invoice on settlements, red on blue", async () => {
    const { context } = desk;
    const { worker, acceptances, amountsFen } = fresh;
    const settlement = await taken(settlementDraft(context, worker, acceptances, amountsFen));
    const pay = (fen: bigint) => paymentDraft(context, worker, settlement, fen);
    expect(await refusal(pay(93_01n)), "payment").toBe(MISMATCH);
    expect(await refusal(pay(100_00n)), "payment of the gross").toBe(MISMATCH);
    const payment = await taken(pay(93_00n));

    expect(await refusal(taxDraft(context, worker, payment, 100_00n)), "tax").toBe(MISMATCH);
    await taken(taxDraft(context, worker, payment, 93_00n));

    const work = { ...fresh, settlement, payment };
    const invoice = invoiceDraft(context, [work]);
    const { total } = invoice.payload;
    expect(await refusal(changed(invoice, { total: total + 1n })), "invoice").toBe(MISMATCH);
    const split = changed(invoice, { tax: invoice.payload.tax + 1n });
    expect(await refusal(split), "invoice's split").toBe(MISMATCH);
    const record = await taken(invoice);

    const red = (covered: readonly Work[]) =>
      redInvoiceDraft(context, { record, invoiceNumber: invoice.payload.invoiceNumber, covered });
    const wrong = changed(red([work]), { total: total - 1n });
    expect(await refusal(wrong), "red invoice").toBe(MISMATCH);
    await taken(red([work]));
    await taken(invoiceDraft(context, [work]));
  });

  it("invoice over several settlements, and tax over several payments", async () => {
    const { context } = desk;
    const two = [await business(1), await business(2)];
    const works: Work[] = [];
    for (const { worker, acceptances, amountsFen, ...rest } of two) {
      const settlement = await taken(settlementDraft(context, worker, acceptances, amountsFen));
      const payment = await taken(paymentDraft(context, worker, settlement, 93_00n));
      works.push({ ...rest, worker, acceptances, amountsFen, settlement, payment });
    }
    const draft = invoiceDraft(context, works);
    const { total, amountExcludingTax } = draft.payload;
    expect(total).toBe(200_00n);
    const bent = { total: total - 1n, amountExcludingTax: amountExcludingTax - 1n };
    expect(await refusal(changed(draft, bent))).toBe(MISMATCH);
    await taken(draft);
    const [first, second] = works;
    if (first === undefined || second === undefined) return expect.fail("two works");
    const foreign = {
      ...taxDraft(context, first.worker, first.payment, 186_00n),
      parents: [first, second].map(({ payment }) => ({
        id: payment.id,
        relation: "withholds" as const,
      })),
    };
    // Payments of two people: the sum holds, the parties do not.
    expect(await refusal(foreign)).toBe("CREDENTIAL_FOREIGN_PARTY");
  });

  it("a blinding factor of one's own breaks a sum of equal amounts", async () => {
    const { context } = desk;
    const { worker, acceptances, amountsFen } = await business(3);
    const draft = settlementDraft(context, worker, acceptances, amountsFen);
    const free = createOpenings("transaction.settlement", draft.payload, [], (length) =>
      context.random.bytes(length),
    ).map(commitAmount);
    const { status } = await desk.submit(draft, {
      change: (record) => ({
        ...record,
        amounts: [...free.slice(0, 1), ...record.amounts.slice(1)],
      }),
    });
    expect(status).toBe(MISMATCH);
  });
});

describe("the points themselves", () => {
  it.each(["bill.insurance", "transaction.acceptance", "bill.tax", "transaction.settlement"])(
    "%s: every amount must be on the curve",
    async (type) => {
      const { context } = desk;
      const { worker, acceptances, amountsFen } = await business(4);
      const { payment, netFen } = desk.work(4);
      const task = await taken(taskDraft(context, worker, 2));
      const drafts: Readonly<Record<string, CredentialDraft>> = {
        "bill.insurance": insuranceDraft(context, worker),
        "transaction.acceptance": acceptanceDraft(context, worker, [task]),
        "bill.tax": taxDraft(context, worker, payment, netFen),
        "transaction.settlement": settlementDraft(context, worker, acceptances, amountsFen),
      };
      const draft = drafts[type] ?? expect.fail("a draft of that type");
      const count = amountPaths[draft.type].length;
      for (let place = 0; place < count; place++) {
        const { status } = await desk.submit(draft, {
          change: (record) => ({
            ...record,
            amounts: record.amounts.map((amount, i) => (i === place ? off(amount) : amount)),
          }),
        });
        // An amount that is compared byte by byte is found to be another one before.
        expect(["CREDENTIAL_AMOUNT_INVALID", MISMATCH], `${type} ${place}`).toContain(status);
        if (place === count - 1) expect(status).toBe("CREDENTIAL_AMOUNT_INVALID");
      }
    },
  );

  it("T-4.6.1-2: equal amounts of two records share no point, and no amount stands in clear", () => {
    const points = desk.month.steps.flatMap(({ record }) =>
      record?.type === "bill.insurance" || record?.type === "transaction.acceptance"
        ? record.amounts.map(toHex)
        : [],
    );
    expect(new Set(points).size).toBe(points.length);
    const { settlement, payment } = desk.work(1);
    expect(payment.amounts[0]).toEqual(settlement.amounts[3]);
    const [gross, ...parts] = settlement.amounts;
    expect(isZeroPointSum(concatBytes(gross ?? new Uint8Array(), ...parts), 1)).toBe(true);
  });
});

/** The point with one bit of y flipped: never on the curve. */
function off(amount: Uint8Array): Uint8Array {
  const bent = amount.slice();
  bent[63] = (bent[63] ?? 0) ^ 1;
  return bent;
}

it("every code of this suite was met", () => {
  expect(missingCodes("amounts", desk.seen)).toEqual([]);
});
