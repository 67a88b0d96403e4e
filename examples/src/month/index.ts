/** Drafts of single credentials of the month, for whoever makes further ones from it. */
export { invoiceDraft, redInvoiceDraft } from "./bills.ts";
export { DAY_MS, HOUR_MS, type Work, type Worker } from "./context.ts";
export { caseDraft, grantDraft, verdictDraft } from "./disputes.ts";
export { identityDraft, serviceDraft } from "./parties.ts";
export { actionDraft } from "./risks.ts";
export {
  acceptanceDraft,
  insuranceDraft,
  paymentDraft,
  settlementDraft,
  taskDraft,
  taxDraft,
} from "./work.ts";
