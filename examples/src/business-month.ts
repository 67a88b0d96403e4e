import type { CredentialRecord, IndexKey } from "@credlink/contracts";
import type { Address } from "@credlink/primitives";
import { addBills, type Invoice } from "./month/bills.ts";
import {
  createContext,
  DAY_MS,
  type Enterprise,
  item,
  type MonthContext,
  type Person,
  type RelationKeyToRegister,
  type Work,
} from "./month/context.ts";
import { addDisputes, type Disputes } from "./month/disputes.ts";
import {
  addEnterprise,
  addInstitution,
  addWorker,
  identityDraft,
  makePerson,
} from "./month/parties.ts";
import { addRisks, type Incidents } from "./month/risks.ts";
import { addWork, insuranceDraft } from "./month/work.ts";
import type { CredentialStep, ExampleKey } from "./step.ts";

/** How the month is to be made. */
export interface BusinessMonthOptions {
  /** Equal seeds, times, addresses and keys give byte-identical steps. */
  readonly seed: string;
  /**
   * First moment of the month, milliseconds. Everything happens within 31 days, all of which must
   * lie in the past of the chain's block time.
   */
  readonly startMs: number;
  /** The member that submits: an institution. */
  readonly institutionAddress: Address;
  /** Makes one key pair; called in a fixed order. */
  readonly createKey: () => ExampleKey;
  /** Decides the month's case; absent: the case stays open. */
  readonly regulator?: ExampleKey;
  /** From 6; default 50. */
  readonly workers?: number;
}

/** A month of one institution, two enterprises and their workers. */
export interface BusinessMonth {
  /** Ascending by stage; those of one stage may be submitted side by side. */
  readonly steps: readonly CredentialStep[];
  /** To be registered in batches of at most 64, by the institution. */
  readonly relationKeys: readonly RelationKeyToRegister[];
  readonly indexKey: IndexKey;
  readonly institution: CredentialRecord;
  readonly enterprises: readonly Enterprise[];
  readonly works: readonly Work[];
  /** Standing invoices; tracing the first leads back to every identity behind it. */
  readonly invoices: readonly Invoice[];
  /** The invoice that a red one took back. */
  readonly reversed: Invoice;
  readonly incidents: Incidents;
  readonly disputes: Disputes;
  /** A person whose identity credential has expired. */
  readonly expired: { readonly person: Person; readonly identity: CredentialRecord };
  /** A person with registered keys and no credential. */
  readonly stranger: Person;
  readonly context: MonthContext;
}

const MIN_WORKERS = 6;

/**
 * Makes the month: identities, contracts, tasks, acceptances, settlements, payments, invoices,
 * tax, insurance, risk, a case and a grant, with a correction, a red invoice, a hold and a departure
 * among them.
 *
 * @throws RangeError when there are fewer than six workers.
 */
export function generateBusinessMonth(options: BusinessMonthOptions): BusinessMonth {
  const workers = options.workers ?? 50;
  if (workers < MIN_WORKERS) throw new RangeError(`at least ${MIN_WORKERS} workers`);
  const relationKeys: RelationKeyToRegister[] = [];
  const context = createContext({
    ...options,
    onRelationKey: (key) => relationKeys.push(key),
  });
  const { builder } = context;

  const institution = addInstitution(context);
  const enterprises = [0, 1].map((place) => addEnterprise(context, place, institution));
  const works = Array.from({ length: workers }, (_, place) => {
    const enterprise = item(enterprises, place < workers / 2 ? 0 : 1);
    const person = makePerson(context, place);
    return addWork(context, addWorker(context, person, enterprise, institution));
  });

  const corrected = item(works, 2);
  builder.correct(
    { ...insuranceDraft(context, corrected.worker), name: "保险更正 第3号" },
    corrected.insurance.id,
    "保单号录入错误",
  );

  const lapsed = makePerson(context, workers);
  const until = context.startMs + 20 * DAY_MS;
  const identity = builder.submit(identityDraft(context, lapsed, institution, until));
  const stranger = makePerson(context, workers + 1);

  const { invoices, reversed } = addBills(context, works);
  const invoiceIds = invoices.map(({ record }) => record.id);
  const incidents = addRisks(context, works, invoiceIds);
  const disputes = addDisputes(context, item(works, 1), invoiceIds);
  return {
    steps: builder.steps.toSorted((a, b) => a.stage - b.stage),
    relationKeys,
    indexKey: context.indexKey,
    institution,
    enterprises,
    works,
    invoices,
    reversed,
    incidents,
    disputes,
    expired: { person: lapsed, identity },
    stranger,
    context,
  };
}
