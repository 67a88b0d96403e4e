import type { CredentialType } from "../credential-types.ts";
import type { PayloadSchema } from "../payload.ts";
import { caseSchema, verdictSchema } from "./arbitration.ts";
import { insuranceSchema, invoiceSchema, redInvoiceSchema, taxSchema } from "./bill.ts";
import { frameworkSchema, serviceSchema } from "./contract.ts";
import { grantSchema } from "./grant.ts";
import { enterpriseSchema, individualSchema, institutionSchema } from "./identity.ts";
import { actionSchema, alertSchema, assessmentSchema, reportSchema } from "./risk.ts";
import { acceptanceSchema, paymentSchema, settlementSchema, taskSchema } from "./transaction.ts";

/** The schema in force of each type. */
export const payloadSchemas: Readonly<Record<CredentialType, PayloadSchema>> = {
  "identity.institution": institutionSchema,
  "identity.enterprise": enterpriseSchema,
  "identity.individual": individualSchema,
  "contract.framework": frameworkSchema,
  "contract.service": serviceSchema,
  "transaction.task": taskSchema,
  "transaction.acceptance": acceptanceSchema,
  "transaction.settlement": settlementSchema,
  "transaction.payment": paymentSchema,
  "bill.invoice": invoiceSchema,
  "bill.red-invoice": redInvoiceSchema,
  "bill.tax": taxSchema,
  "bill.insurance": insuranceSchema,
  "risk.assessment": assessmentSchema,
  "risk.alert": alertSchema,
  "risk.action": actionSchema,
  "risk.report": reportSchema,
  "arbitration.case": caseSchema,
  "arbitration.verdict": verdictSchema,
  "grant.access": grantSchema,
};
