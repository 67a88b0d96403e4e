import type { CredentialRecord } from "@credlink/contracts";
import { at, item, type MonthContext, parent, type Work } from "./context.ts";

const ASSESSED = 10;

/** A risk action on one credential. */
export function actionDraft(
  context: MonthContext,
  target: CredentialRecord,
  relation: "holds" | "releases",
) {
  return {
    name: relation === "holds" ? "风控冻结" : "风控解除",
    type: "risk.action" as const,
    parents: [parent(target, relation)],
    payload: {
      action: relation === "holds" ? "hold" : "release",
      targetId: target.id,
      by: "风控专员01",
      legalBasis: "反洗钱法第三十条",
    },
    validFromMs: at(context, 30, 4),
  };
}

/** Assesses a worker; a high one puts the identity on hold, after all that it would stop. */
function assess(
  context: MonthContext,
  work: Work,
  isHigh: boolean,
  after: readonly Uint8Array[] = [],
): CredentialRecord {
  const { random, builder } = context;
  return builder.submit({
    name: `风险评估 第${work.worker.index + 1}号`,
    type: "risk.assessment",
    parents: [
      parent(work.worker.service, "assesses"),
      ...(isHigh ? [parent(work.worker.identity, "holds" as const)] : []),
      parent(work.payment, "evidence"),
    ],
    payload: {
      subjectReference: `P${String(work.worker.index + 1).padStart(4, "0")}`,
      "model.id": "gig-risk",
      "model.version": "3.2.0",
      score: isHigh ? 932 : random.between(40, 320),
      level: isHigh ? "high" : "low",
      factors: [["amount-pattern", random.between(1, 90)]],
      decidedBy: isHigh ? "person" : "automatic",
    },
    validFromMs: at(context, 30, 3, work.worker.index % 60),
    after,
  });
}

/** What became of the month's incidents. */
export interface Incidents {
  /** Its identity is on hold at the end. */
  readonly held: Work;
  /** Its service contract is revoked at the end. */
  readonly left: Work;
  /** Was held and released. */
  readonly released: Work;
}

/** Assessments, an alert with hold and release, a lasting hold with a report, a departure. */
export function addRisks(
  context: MonthContext,
  works: readonly Work[],
  invoices: readonly Uint8Array[],
): Incidents {
  const { builder } = context;
  const held = item(works, works.length - 1);
  const left = item(works, works.length - 2);
  const released = item(works, Math.min(ASSESSED, works.length - 3));
  for (const work of works.slice(0, Math.min(ASSESSED, works.length - 3)))
    assess(context, work, false);

  const { service } = released.worker;
  builder.submit({
    name: "风险预警",
    type: "risk.alert",
    parents: [parent(service, "assesses")],
    payload: {
      ruleId: "night-burst/1",
      severity: "medium",
      targets: [service.id],
      detectedAt: BigInt(at(context, 30, 3)),
    },
    validFromMs: at(context, 30, 3),
  });
  const after = [released.tax.id, released.insurance.id, ...invoices];
  const hold = builder.submit({ ...actionDraft(context, service, "holds"), after });
  builder.submit({ ...actionDraft(context, service, "releases"), after: [hold.id] });

  const assessment = assess(context, held, true, [held.tax.id, held.insurance.id, ...invoices]);
  builder.submit({
    name: "可疑交易报告",
    type: "risk.report",
    parents: [parent(held.worker.service, "assesses"), parent(assessment, "evidence")],
    payload: {
      reportNumber: `STR${context.random.digits(12)}`,
      parties: [`P${String(held.worker.index + 1).padStart(4, "0")}`],
      pattern: "资金快进快出",
      amountBand: "5万-10万",
      narrativeDigest: context.random.bytes(32),
      submittedTo: "中国反洗钱监测分析中心",
    },
    validFromMs: at(context, 30, 5),
  });

  builder.revoke(
    {
      name: `服务合同终止 第${left.worker.index + 1}号`,
      after: [left.tax.id, left.insurance.id, ...invoices],
    },
    left.worker.service,
  );
  return { held, left, released };
}
