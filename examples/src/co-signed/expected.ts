import type { CredentialRecord, CredentialStatus } from "@credlink/contracts";
import { toHex } from "@credlink/primitives";
import type { BusinessMonth } from "../business-month.ts";

/** A record of the month and the status that it must have at the end. */
export interface Expected {
  readonly record: CredentialRecord;
  readonly status: CredentialStatus;
}

/** Every record that the month issues, with its status at the end. */
export function expectedRecords(month: BusinessMonth): readonly Expected[] {
  const { incidents, disputes, reversed, works } = month;
  const ends = new Map<string, CredentialStatus>([
    [toHex(incidents.held.worker.identity.id), "on-hold"],
    [toHex(incidents.left.worker.service.id), "revoked"],
    [toHex(reversed.record.id), "corrected"],
  ]);
  // The one insurance that the generator corrects.
  const corrected = works[2]?.insurance;
  if (corrected !== undefined) ends.set(toHex(corrected.id), "corrected");
  if (disputes.verdict !== null) ends.set(toHex(disputes.dispute.id), "closed");
  return month.steps.flatMap(({ record }) =>
    record === null ? [] : [{ record, status: ends.get(toHex(record.id)) ?? "active" }],
  );
}

/** `type status` -> how many. */
export function countByStatus(
  records: readonly { readonly record: CredentialRecord; readonly status: string }[],
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { record, status } of records) {
    const name = `${record.type} ${status}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
