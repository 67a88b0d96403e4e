import type { CredentialRecord } from "@credlink/contracts";
import { makeInvoiceNumber } from "../identifiers.ts";
import {
  at,
  documentDigest,
  index,
  item,
  type MonthContext,
  parent,
  type Work,
} from "./context.ts";

/** Settlements of one invoice; the contract allows up to 32. */
const SETTLEMENTS_PER_INVOICE = 13;
const VAT_PERCENT = 6n;

/** An invoice of the month. */
export interface Invoice {
  readonly record: CredentialRecord;
  readonly invoiceNumber: string;
  readonly covered: readonly Work[];
}

/** The invoice over settlements of one enterprise. */
export function invoiceDraft(context: MonthContext, covered: readonly Work[], day = 28) {
  const { random } = context;
  const { enterprise } = item(covered, 0).worker;
  // Settlements are paid with tax inside: the invoice splits their sum.
  const total = covered.reduce((sum, { grossFen }) => sum + grossFen, 0n);
  const amount = (total * 100n) / (100n + VAT_PERCENT);
  const invoiceNumber = makeInvoiceNumber(random, Number(context.period.slice(0, 4)));
  const issuedAt = at(context, day, 2);
  return {
    name: `发票 企业${enterprise.index + 1}(${covered.length}笔结算)`,
    type: "bill.invoice" as const,
    subjects: [enterprise.frameworkKey],
    parents: covered.map(({ settlement }) => parent(settlement, "invoices")),
    indexes: [index(context, "invoice-number", invoiceNumber)],
    payload: {
      invoiceKind: "digital-special",
      invoiceNumber,
      issueDate: BigInt(issuedAt),
      sellerUscc: context.institutionCreditCode,
      buyerUscc: enterprise.creditCode,
      lines: [["*现代服务*灵活用工综合服务费", amount]],
      amountExcludingTax: amount,
      tax: total - amount,
      total,
      coveredTransactions: covered.map(({ settlement }) => settlement.id),
      documentDigest: documentDigest(random, "invoice"),
    },
    validFromMs: issuedAt,
  };
}

/** The red invoice that takes one back. */
export function redInvoiceDraft(context: MonthContext, invoice: Invoice, day = 29) {
  const { random } = context;
  const blue = invoiceDraft(context, invoice.covered, day);
  return {
    ...blue,
    name: `红字${blue.name}`,
    type: "bill.red-invoice" as const,
    parents: [parent(invoice.record, "reverses")],
    payload: {
      ...blue.payload,
      redOf: invoice.invoiceNumber,
      documentDigest: documentDigest(random, "red"),
    },
  };
}

function addInvoice(
  context: MonthContext,
  covered: readonly Work[],
  options: { readonly day: number; readonly after?: readonly Uint8Array[] },
): Invoice {
  const draft = invoiceDraft(context, covered, options.day);
  const record = context.builder.submit({ ...draft, after: options.after ?? [] });
  return { record, invoiceNumber: draft.payload.invoiceNumber, covered };
}

/**
 * The month's invoices; the last one is reversed by a red one and issued again.
 * @returns the standing invoices, and the one that was reversed.
 */
export function addBills(context: MonthContext, works: readonly Work[]) {
  const invoices: Invoice[] = [];
  const enterprises = new Set(works.map(({ worker }) => worker.enterprise));
  for (const enterprise of enterprises) {
    const own = works.filter(({ worker }) => worker.enterprise === enterprise);
    for (let from = 0; from < own.length; from += SETTLEMENTS_PER_INVOICE) {
      const covered = own.slice(from, from + SETTLEMENTS_PER_INVOICE);
      invoices.push(addInvoice(context, covered, { day: 28 }));
    }
  }
  const reversed = item(invoices, invoices.length - 1);
  const red = context.builder.submit(redInvoiceDraft(context, reversed));
  const again = addInvoice(context, reversed.covered, { day: 30, after: [red.id] });
  return { invoices: [...invoices.slice(0, -1), again], reversed };
}
