import {
  type CredentialRecord,
  type CredentialRefusalCode,
  type CredentialType,
  correctArgsCodec,
  reasonDigest,
  revokeArgsCodec,
  submitArgsCodec,
} from "@credlink/contracts";
import { type Address, address, encode } from "@credlink/primitives";
import type { BusinessMonth } from "./business-month.ts";
import { invoiceDraft, redInvoiceDraft } from "./month/bills.ts";
import { at, DAY_MS, item, parent, type Work } from "./month/context.ts";
import { identityDraft, serviceDraft } from "./month/parties.ts";
import { actionDraft } from "./month/risks.ts";
import {
  acceptanceDraft,
  insuranceDraft,
  paymentDraft,
  settlementDraft,
  taskDraft,
  taxDraft,
} from "./month/work.ts";
import type { CredentialDraft, CredentialStep, ExampleKey } from "./step.ts";

/** A step that the contract refuses, after the whole month is committed. */
export interface RefusedCase {
  /** What is wrong, for people. */
  readonly name: string;
  /** Who sends it; null: the institution, as always. */
  readonly sender: ExampleKey | null;
  readonly childType: CredentialType;
  /** Type of the first parent; null when there is none. */
  readonly parentType: string | null;
  readonly step: CredentialStep;
  /** Status of the receipt. */
  readonly expectedCode: CredentialRefusalCode;
}

interface CaseOptions {
  readonly parentType?: string | null;
  readonly sender?: ExampleKey;
  /** Breaks the record after it was made. */
  readonly change?: (record: CredentialRecord) => CredentialRecord;
  /** Breaks the arguments. */
  readonly args?: (record: CredentialRecord) => Uint8Array;
  readonly method?: CredentialStep["method"];
}

/** Makes refused cases over one month. */
class CaseList {
  readonly cases: RefusedCase[] = [];
  private readonly month: BusinessMonth;
  private readonly stage: number;

  constructor(month: BusinessMonth) {
    this.month = month;
    this.stage = month.context.builder.lastStage + 1;
  }

  add(
    name: string,
    expectedCode: RefusedCase["expectedCode"],
    draft: CredentialDraft,
    options: CaseOptions = {},
  ): void {
    const made = this.month.context.builder.make(draft);
    const record = options.change?.(made.record) ?? made.record;
    const parents = (draft.parents ?? []).map(({ id }) => id);
    const step: CredentialStep = {
      name,
      stage: this.stage,
      method: options.method ?? "submit",
      args: options.args?.(record) ?? encode(submitArgsCodec, record),
      id: record.id,
      type: draft.type,
      record,
      payload: draft.payload,
      salts: made.salts,
      policy: made.policy,
      openings: made.openings,
      sender: options.sender ?? null,
      coSigners: draft.coSigners ?? [],
      dependsOn: parents,
    };
    const { parentType = null, sender = null } = options;
    this.cases.push({ name, sender, childType: draft.type, parentType, step, expectedCode });
  }
}

/**
 * One of each case that a month can show, in no order: none changes the state, whichever way the
 * others went. To be submitted after all steps of the month.
 */
export function generateRefusedCases(month: BusinessMonth): readonly RefusedCase[] {
  const list = new CaseList(month);
  addParentCases(month, list);
  addStatusCases(month, list);
  addPartyCases(month, list);
  addTimeCases(month, list);
  addTwiceCases(month, list);
  addFormCases(month, list);
  addLifeCycleCases(month, list);
  return list.cases;
}

function plainWork(month: BusinessMonth): Work {
  return item(month.works, 0);
}

function addParentCases(month: BusinessMonth, list: CaseList): void {
  const { context } = month;
  const { worker } = plainWork(month);
  const task = (): CredentialDraft => taskDraft(context, worker, 0);
  const unknown = { id: context.random.bytes(32), relation: "underContract" as const };
  list.add("合同不存在", "CREDENTIAL_PARENT_MISSING", { ...task(), parents: [unknown] });
  list.add("未引用合同", "CREDENTIAL_PARENT_REQUIRED", { ...task(), parents: [] });
  list.add(
    "任务直接引用框架合同",
    "CREDENTIAL_PARENT_TYPE",
    { ...task(), parents: [parent(worker.enterprise.framework, "underContract")] },
    { parentType: "contract.framework" },
  );
  list.add(
    "引用关系错误",
    "CREDENTIAL_PARENT_RELATION",
    { ...task(), parents: [parent(worker.service, "evidence")] },
    { parentType: "contract.service" },
  );
  const own = parent(worker.service, "underContract");
  list.add(
    "重复引用",
    "CREDENTIAL_PARENT_REPEATED",
    { ...task(), parents: [own, own] },
    { parentType: "contract.service" },
  );
  list.add(
    "引用过多",
    "CREDENTIAL_PARENTS_TOO_MANY",
    {
      ...task(),
      parents: [own, parent(item(month.works, 1).worker.service, "underContract")],
    },
    { parentType: "contract.service" },
  );
  list.add("引用自身", "CREDENTIAL_CYCLE", task(), {
    change: (record) => ({ ...record, parents: [{ id: record.id, relation: "underContract" }] }),
  });
}

function addStatusCases(month: BusinessMonth, list: CaseList): void {
  const { context, incidents, expired, institution, reversed } = month;
  const { held, left } = incidents;
  list.add("合同已终止", "CREDENTIAL_PARENT_REVOKED", taskDraft(context, left.worker, 0), {
    parentType: "contract.service",
  });
  list.add("人员被冻结", "CREDENTIAL_PARENT_ON_HOLD", taskDraft(context, held.worker, 0), {
    parentType: "contract.service",
  });
  list.add("被冻结人员的保险", "CREDENTIAL_PARENT_ON_HOLD", insuranceDraft(context, held.worker), {
    parentType: "contract.service",
  });
  const enterprise = item(month.enterprises, 0);
  const parties = { ...expired, enterprise, attester: institution };
  list.add("身份已过期", "CREDENTIAL_PARENT_EXPIRED", serviceDraft(context, parties), {
    parentType: "identity.individual",
  });
  list.add("发票已红冲", "CREDENTIAL_PARENT_CORRECTED", redInvoiceDraft(context, reversed), {
    parentType: "bill.invoice",
  });
}

function addPartyCases(month: BusinessMonth, list: CaseList): void {
  const { context, institution, stranger } = month;
  const { worker } = plainWork(month);
  const other = item(month.works, 1).worker;
  const far = item(month.works, month.works.length - 3).worker;
  const parentType = "contract.service";
  const task = (): CredentialDraft => taskDraft(context, worker, 0);
  const keys = [worker.enterprise.frameworkKey, other.serviceKey];
  list.add(
    "他人的合同",
    "CREDENTIAL_FOREIGN_PARTY",
    { ...task(), subjects: keys, coSigners: keys },
    {
      parentType,
    },
  );
  const wrong = [far.enterprise.frameworkKey, worker.serviceKey];
  list.add(
    "企业不是框架合同的企业",
    "CREDENTIAL_FOREIGN_PARTY",
    { ...task(), subjects: wrong, coSigners: wrong },
    { parentType },
  );
  list.add(
    "个人未签名",
    "CREDENTIAL_COSIGNATURE_MISSING",
    { ...task(), coSigners: [worker.enterprise.frameworkKey] },
    { parentType },
  );
  list.add(
    "企业未签名",
    "CREDENTIAL_COSIGNATURE_MISSING",
    { ...task(), coSigners: [worker.serviceKey] },
    { parentType },
  );
  list.add("签发者不是提交者", "CREDENTIAL_ISSUER_NOT_SENDER", task(), {
    parentType,
    change: (record) => ({ ...record, issuer: worker.serviceKey.address }),
  });
  list.add(
    "企业无权签发任务",
    "CREDENTIAL_ISSUER_UNAUTHORISED",
    { ...task(), coSigners: [worker.serviceKey] },
    {
      parentType,
      sender: worker.enterprise.frameworkKey,
      change: (record) => ({ ...record, issuer: worker.enterprise.frameworkKey.address }),
    },
  );
  const identity = (): CredentialDraft => identityDraft(context, stranger, institution);
  const attested = { parentType: "identity.institution" };
  list.add(
    "主体密钥未登记",
    "CREDENTIAL_SUBJECT_UNKNOWN",
    { ...identity(), coSigners: [] },
    {
      ...attested,
      change: (record) => ({ ...record, subjects: [unregistered(month)] }),
    },
  );
  const key = worker.enterprise.identityKey;
  list.add(
    "主体角色错误",
    "CREDENTIAL_SUBJECT_ROLE",
    { ...identity(), subjects: [key], coSigners: [key] },
    attested,
  );
  list.add(
    "本人未签名",
    "CREDENTIAL_COSIGNATURE_MISSING",
    { ...identity(), coSigners: [] },
    attested,
  );
}

/** An address that nobody has. */
function unregistered(month: BusinessMonth): Address {
  return address(month.context.random.bytes(32));
}

function addTimeCases(month: BusinessMonth, list: CaseList): void {
  const { context, institution } = month;
  const { worker, settlement } = plainWork(month);
  const parentType = "contract.service";
  const task = taskDraft(context, worker, 0);
  const early = worker.service.validFromMs - DAY_MS;
  list.add(
    "任务早于合同",
    "CREDENTIAL_TIME_INVERSION",
    { ...task, validFromMs: early },
    {
      parentType,
    },
  );
  list.add(
    "付款早于结算",
    "CREDENTIAL_TIME_INVERSION",
    { ...paymentDraft(context, worker, settlement, 100n), validFromMs: at(context, 3, 0) },
    { parentType: "transaction.settlement" },
  );
  list.add(
    "未来的任务",
    "CREDENTIAL_TIME_IN_FUTURE",
    { ...task, validFromMs: at(context, 3_650, 0) },
    { parentType },
  );
  const { identity, enterprise } = worker;
  const service = serviceDraft(context, {
    person: worker,
    identity,
    enterprise,
    attester: institution,
  });
  const beyond = (enterprise.framework.validToMs ?? 0) + DAY_MS;
  list.add(
    "服务合同超出框架期限",
    "CREDENTIAL_OUTSIDE_CONTRACT_WINDOW",
    {
      ...service,
      validToMs: beyond,
    },
    { parentType: "contract.framework" },
  );
  const { validToMs: _end, ...endless } = service;
  list.add("合同没有终止日", "CREDENTIAL_VALIDITY", endless, { parentType: "contract.framework" });
}

function addTwiceCases(month: BusinessMonth, list: CaseList): void {
  const { context, institution } = month;
  const work = plainWork(month);
  const { worker, tasks, acceptances, settlement, payment, netFen, amountsFen } = work;
  list.add(
    "重复验收",
    "CREDENTIAL_ALREADY_ACCEPTED",
    acceptanceDraft(context, worker, tasks.slice(0, 1)),
    {
      parentType: "transaction.task",
    },
  );
  list.add(
    "重复结算",
    "CREDENTIAL_ALREADY_SETTLED",
    settlementDraft(context, worker, acceptances.slice(0, 1), amountsFen.slice(0, 1)),
    { parentType: "transaction.acceptance" },
  );
  list.add(
    "重复付款",
    "CREDENTIAL_ALREADY_PAID",
    paymentDraft(context, worker, settlement, netFen),
    { parentType: "transaction.settlement" },
  );
  list.add("重复开票", "CREDENTIAL_ALREADY_INVOICED", invoiceDraft(context, [work]), {
    parentType: "transaction.settlement",
  });
  list.add("重复完税", "CREDENTIAL_ALREADY_TAXED", taxDraft(context, worker, payment, netFen), {
    parentType: "transaction.payment",
  });
  list.add("编号重复", "CREDENTIAL_DUPLICATE_ID", insuranceDraft(context, worker), {
    parentType: "contract.service",
    change: (record) => ({ ...record, id: settlement.id }),
  });
  const { identityNumber, mobile } = worker;
  const twin = { ...month.stranger, identityNumber, mobile };
  list.add(
    "同一身份证重复登记",
    "CREDENTIAL_INDEX_DUPLICATE",
    identityDraft(context, twin, institution),
    {
      parentType: "identity.institution",
    },
  );
}

function addFormCases(month: BusinessMonth, list: CaseList): void {
  const { context, institution, stranger } = month;
  const { worker } = plainWork(month);
  const parentType = "contract.service";
  const cases: readonly (readonly [
    string,
    CredentialRefusalCode,
    (record: CredentialRecord) => CredentialRecord,
  ])[] = [
    ["格式版本", "CREDENTIAL_FORMAT_VERSION", (record) => ({ ...record, format: 1 })],
    [
      "模式版本过旧",
      "CREDENTIAL_SCHEMA_VERSION",
      (record) => ({ ...record, schema: "bill.insurance/0.9" }),
    ],
    [
      "字段数不符",
      "CREDENTIAL_FIELD_COUNT",
      (record) => ({ ...record, commitment: { ...record.commitment, fieldCount: 4 } }),
    ],
    ["密级不符", "CREDENTIAL_LEVEL", (record) => ({ ...record, level: 1 })],
    ["缺少金额承诺", "CREDENTIAL_AMOUNT_COUNT", (record) => ({ ...record, amounts: [] })],
    [
      "金额承诺不在曲线上",
      "CREDENTIAL_AMOUNT_INVALID",
      (record) => ({ ...record, amounts: [new Uint8Array(64).fill(2)] }),
    ],
    ["多余的条款", "CREDENTIAL_TERMS", (record) => ({ ...record, terms: new Uint8Array(1) })],
    ["缺少主体", "CREDENTIAL_SUBJECT_COUNT", (record) => ({ ...record, subjects: [] })],
    [
      "有效期倒置",
      "CREDENTIAL_VALIDITY",
      (record) => ({ ...record, validToMs: record.validFromMs }),
    ],
  ];
  for (const [name, code, change] of cases) {
    list.add(name, code, insuranceDraft(context, worker), { parentType, change });
  }
  list.add(
    "身份没有唯一性索引",
    "CREDENTIAL_INDEX_COUNT",
    { ...identityDraft(context, stranger, institution), indexes: [] },
    { parentType: "identity.institution" },
  );
  list.add("编码残缺", "CREDENTIAL_MALFORMED", insuranceDraft(context, worker), {
    parentType,
    args: (record) => encode(submitArgsCodec, record).subarray(1),
  });
}

function addLifeCycleCases(month: BusinessMonth, list: CaseList): void {
  const { context, invoices, incidents } = month;
  const work = plainWork(month);
  const reason = reasonDigest({ salt: context.random.bytes(32), text: "更正" });
  const revoke = (id: Uint8Array) => (): Uint8Array => encode(revokeArgsCodec, { id, reason });
  const insurance = (): CredentialDraft => insuranceDraft(context, work.worker);
  list.add("撤销已付款的结算", "CREDENTIAL_HAS_DEPENDENTS", insurance(), {
    method: "revoke",
    args: revoke(work.settlement.id),
  });
  list.add("撤销不存在的凭证", "CREDENTIAL_UNKNOWN", insurance(), {
    method: "revoke",
    args: revoke(context.random.bytes(32)),
  });
  list.add("重复撤销", "CREDENTIAL_NOT_ACTIVE", insurance(), {
    method: "revoke",
    args: revoke(incidents.left.worker.service.id),
  });
  const invoice = item(invoices, 0);
  list.add("发票只能红冲", "CREDENTIAL_CORRECTION_TYPE", invoiceDraft(context, invoice.covered), {
    method: "correct",
    parentType: "transaction.settlement",
    args: (record) => encode(correctArgsCodec, { id: invoice.record.id, reason, record }),
  });
  list.add(
    "解除未冻结的凭证",
    "CREDENTIAL_NOT_ON_HOLD",
    actionDraft(context, work.worker.service, "releases"),
    { parentType: "contract.service" },
  );
  list.add(
    "重复冻结",
    "CREDENTIAL_NOT_ACTIVE",
    actionDraft(context, incidents.held.worker.identity, "holds"),
    { parentType: "identity.individual" },
  );
}
