import type { CredentialRecord } from "@credlink/contracts";
import { sm3 } from "@credlink/crypto";
import { utf8 } from "@credlink/primitives";
import { enterprises } from "../names.ts";
import {
  at,
  documentDigest,
  HOUR_MS,
  index,
  item,
  type MonthContext,
  parent,
  type Work,
  type Worker,
} from "./context.ts";

/** Days on which a worker's orders are placed; the last two are accepted together. */
const TASK_DAYS = [2, 9, 17];
const SETTLED_DAY = 25;
const PAID_DAY = 26;
/** Six per cent service fee and one per cent withheld, in hundredths. */
const FEE_PERCENT = 6n;
const TAX_PERCENT = 1n;

/** A task of a worker, as it is submitted. */
export function taskDraft(context: MonthContext, worker: Worker, number: number) {
  const { random } = context;
  const facts = item(enterprises, worker.enterprise.index);
  const day = TASK_DAYS[number % TASK_DAYS.length] ?? 2;
  const placedAt = at(context, day, 1 + random.integer(3), random.integer(60));
  const [lowest, highest] = facts.priceFen;
  return {
    name: `任务 第${worker.index + 1}号-${number + 1}`,
    type: "transaction.task" as const,
    subjects: [worker.enterprise.frameworkKey, worker.serviceKey],
    coSigners: [worker.enterprise.frameworkKey, worker.serviceKey],
    parents: [parent(worker.service, "underContract")],
    payload: {
      orderNumber: `DD${random.digits(14)}`,
      contractId: worker.service.id,
      scene: facts.scene,
      taskType: random.pick(facts.taskTypes),
      placedAt: BigInt(placedAt),
      finishedAt: BigInt(placedAt + random.between(20, 90) * HOUR_MS),
      evidence: [documentDigest(random, "work")],
      quantity: random.between(facts.quantity[0], facts.quantity[1]),
      unitPrice: BigInt(random.between(lowest, highest)),
    },
    validFromMs: placedAt,
  };
}

/** The enterprise's acceptance of tasks. */
export function acceptanceDraft(
  context: MonthContext,
  worker: Worker,
  tasks: readonly CredentialRecord[],
  amountFen = 100_00n,
) {
  const { random } = context;
  const acceptedAt = Math.max(...tasks.map(({ validFromMs }) => validFromMs)) + 100 * HOUR_MS;
  return {
    name: `验收 第${worker.index + 1}号(${tasks.length}项)`,
    type: "transaction.acceptance" as const,
    subjects: [worker.enterprise.frameworkKey, worker.serviceKey],
    coSigners: [worker.enterprise.frameworkKey],
    parents: tasks.map((task) => parent(task, "accepts")),
    payload: {
      taskIds: tasks.map(({ id }) => id),
      acceptedAt: BigInt(acceptedAt),
      acceptedBy: `验收员${random.digits(4)}`,
      quantity: tasks.length,
      amount: amountFen,
      quality: random.pick(["good", "good", "fair"]),
    },
    validFromMs: acceptedAt,
  };
}

/** The settlement of acceptances: gross, fee, tax and net add up. */
export function settlementDraft(
  context: MonthContext,
  worker: Worker,
  acceptances: readonly CredentialRecord[],
  amountsFen: readonly bigint[],
) {
  const settledAt = at(context, SETTLED_DAY, 2, worker.index % 60);
  const gross = amountsFen.reduce((sum, amount) => sum + amount, 0n);
  const serviceFee = (gross * FEE_PERCENT) / 100n;
  const taxWithheld = (gross * TAX_PERCENT) / 100n;
  return {
    name: `结算 第${worker.index + 1}号`,
    type: "transaction.settlement" as const,
    subjects: [worker.enterprise.frameworkKey, worker.serviceKey],
    coSigners: [worker.serviceKey],
    parents: acceptances.map((acceptance) => parent(acceptance, "settles")),
    payload: {
      batchNumber: `JS${context.period.replace("-", "")}-${worker.enterprise.index + 1}`,
      items: acceptances.map(({ id }, i) => [id, item(amountsFen, i)]),
      gross,
      serviceFee,
      taxWithheld,
      net: gross - serviceFee - taxWithheld,
      currency: "CNY",
      period: context.period,
      payer: worker.enterprise.frameworkKey.address,
      payeeReference: `P${String(worker.index + 1).padStart(4, "0")}`,
    },
    validFromMs: settledAt,
  };
}

/** The payment of a settlement to the worker's card. */
export function paymentDraft(
  context: MonthContext,
  worker: Worker,
  settlement: CredentialRecord,
  netFen: bigint,
) {
  const { random } = context;
  const channelTransactionNumber = random.digits(28);
  return {
    name: `付款 第${worker.index + 1}号`,
    type: "transaction.payment" as const,
    subjects: [worker.serviceKey],
    parents: [parent(settlement, "pays")],
    indexes: [index(context, "channel-transaction-number", channelTransactionNumber)],
    payload: {
      settlementId: settlement.id,
      channel: "bank",
      channelTransactionNumber,
      payeeAccountDigest: sm3(utf8(`${worker.card.number}/${random.digits(16)}`)),
      amount: netFen,
      paidAt: BigInt(at(context, PAID_DAY, 2, worker.index % 60)),
      status: "succeeded",
      receiptDigest: documentDigest(random, "receipt"),
    },
    validFromMs: at(context, PAID_DAY, 2, worker.index % 60),
  };
}

/** Tax withheld from a payment; the contract holds its base to what was paid. */
export function taxDraft(
  context: MonthContext,
  worker: Worker,
  payment: CredentialRecord,
  paidFen: bigint,
) {
  return {
    name: `完税 第${worker.index + 1}号`,
    type: "bill.tax" as const,
    subjects: [worker.serviceKey],
    parents: [parent(payment, "withholds")],
    payload: {
      taxpayerReference: `P${String(worker.index + 1).padStart(4, "0")}`,
      taxType: "income",
      period: context.period,
      base: paidFen,
      rateRuleId: "wtdz-2026/1",
      amount: (paidFen * TAX_PERCENT) / 100n,
      certificateNumber: context.random.digits(18),
      authority: "国家税务总局深圳市税务局",
    },
    validFromMs: at(context, 27, 2, worker.index % 60),
  };
}

/** Accident cover of a worker for the month. */
export function insuranceDraft(context: MonthContext, worker: Worker) {
  const { random } = context;
  return {
    name: `保险 第${worker.index + 1}号`,
    type: "bill.insurance" as const,
    subjects: [worker.serviceKey],
    parents: [parent(worker.service, "underContract")],
    payload: {
      policyNumber: `PA${random.digits(16)}`,
      insurer: "中国平安财产保险股份有限公司",
      period: context.period,
      premium: BigInt(random.between(1_200, 3_000)),
    },
    validFromMs: at(context, 1, 2, worker.index % 60),
  };
}

/** A worker's whole month, from orders to tax. */
export function addWork(context: MonthContext, worker: Worker): Work {
  const { builder } = context;
  const insurance = builder.submit(insuranceDraft(context, worker));
  const drafts = TASK_DAYS.map((_, number) => taskDraft(context, worker, number));
  const tasks = drafts.map((draft) => builder.submit(draft));
  const worth = drafts.map(({ payload }) => BigInt(payload.quantity) * payload.unitPrice);
  const [first, second, third] = tasks;
  const groups = [[first], [second, third]].map((group) =>
    group.filter((task) => task !== undefined),
  );
  const amountsFen = [item(worth, 0), item(worth, 1) + item(worth, 2)];
  const acceptances = groups.map((group, i) =>
    builder.submit(acceptanceDraft(context, worker, group, item(amountsFen, i))),
  );
  const settled = settlementDraft(context, worker, acceptances, amountsFen);
  const settlement = builder.submit(settled);
  const { gross, net } = settled.payload;
  const payment = builder.submit(paymentDraft(context, worker, settlement, net));
  const tax = builder.submit(taxDraft(context, worker, payment, net));
  const amounts = { grossFen: gross, netFen: net, amountsFen };
  return { worker, tasks, acceptances, settlement, payment, tax, insurance, ...amounts };
}
