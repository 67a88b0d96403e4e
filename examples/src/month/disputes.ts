import {
  type CredentialRecord,
  caseTermsCodec,
  encodeGrantTerms,
  grantActionCode,
  useArgsCodec,
  verdictTermsCodec,
} from "@credlink/contracts";
import { digest, encode } from "@credlink/primitives";
import type { ExampleKey } from "../step.ts";
import { at, DAY_MS, documentDigest, type MonthContext, parent, type Work } from "./context.ts";

/** A worker's case against the enterprise about a settlement, filed by their institution. */
export function caseDraft(context: MonthContext, { worker, settlement }: Work) {
  const { random } = context;
  const evidenceDigest = digest(documentDigest(random, "evidence-package"));
  const claimant = worker.serviceKey;
  const filedAt = at(context, 30, 5, 30);
  return {
    name: `仲裁申请 第${worker.index + 1}号`,
    type: "arbitration.case" as const,
    subjects: [claimant, worker.enterprise.frameworkKey],
    coSigners: [claimant],
    parents: [parent(settlement, "concerns")],
    terms: encode(caseTermsCodec, { evidenceDigest, holds: true }),
    payload: {
      claimant: `P${String(worker.index + 1).padStart(4, "0")}`,
      respondent: `Q${String(worker.enterprise.index + 1).padStart(2, "0")}`,
      claims: ["结算数量与验收不符"],
      credentialIds: [settlement.id],
      evidencePackageDigest: evidenceDigest,
      filedAt: BigInt(filedAt),
    },
    validFromMs: filedAt,
  };
}

/** A verdict; upheld ones name what happens to the settlement. */
export function verdictDraft(
  context: MonthContext,
  { id }: { readonly id: Uint8Array },
  result: "upheld" | "dismissed",
  acts: readonly { readonly id: Uint8Array; readonly relation: "revokes" | "amends" | "holds" }[],
) {
  return {
    name: result === "upheld" ? "裁决支持" : "裁决驳回",
    type: "arbitration.verdict" as const,
    parents: [{ id, relation: "decides" as const }, ...acts],
    terms: encode(verdictTermsCodec, { result }),
    payload: {
      caseId: id,
      result,
      decidedBy: "深圳市灵活用工纠纷调处中心",
      reasoning: "经核对任务、验收与结算凭证",
    },
    validFromMs: at(context, 30, 6),
  };
}

/** A worker's grant to somebody who wants to see payments for one purpose. */
export function grantDraft(
  context: MonthContext,
  { worker, settlement, payment }: Work,
  grantee: ExampleKey,
) {
  const from = at(context, 30, 7);
  return {
    name: `授权 第${worker.index + 1}号`,
    type: "grant.access" as const,
    sender: worker.serviceKey,
    subjects: [worker.serviceKey],
    parents: [parent(payment, "grants")],
    terms: encodeGrantTerms({
      grantee: grantee.address,
      purpose: "income-proof",
      actions: ["read", "verify"],
      maxUses: 2,
      isRevocable: true,
      fieldsDigest: null,
      consentDigest: null,
    }),
    payload: {
      grantor: worker.serviceKey.address,
      grantee: grantee.address,
      credentialIds: [payment.id],
      purpose: "income-proof",
      actions: ["read", "verify"],
      maxUses: 2,
    },
    validFromMs: from,
    validToMs: from + 60 * DAY_MS,
    after: [settlement.id],
  };
}

/** The month's case and grant. */
export interface Disputes {
  readonly dispute: CredentialRecord;
  /** Null without a regulator. */
  readonly verdict: CredentialRecord | null;
  readonly grant: CredentialRecord;
  readonly grantee: ExampleKey;
}

/** A dismissed case about a settlement, and a grant of which one of two uses is made. */
export function addDisputes(
  context: MonthContext,
  work: Work,
  invoices: readonly Uint8Array[],
): Disputes {
  const { builder, regulator } = context;
  const after = [work.tax.id, ...invoices];
  const dispute = builder.submit({ ...caseDraft(context, work), after });
  const verdict =
    regulator === null
      ? null
      : builder.submit({
          ...verdictDraft(context, dispute, "dismissed", []),
          sender: regulator,
        });
  const grantee = work.worker.enterprise.identityKey;
  const grant = builder.submit({ ...grantDraft(context, work, grantee), after });
  builder.use({
    name: "使用授权",
    sender: grantee,
    grant: grant.id,
    args: encode(useArgsCodec, {
      grant: grant.id,
      target: work.payment.id,
      action: grantActionCode("read"),
      purpose: "income-proof",
    }),
  });
  return { dispute, verdict, grant, grantee };
}
