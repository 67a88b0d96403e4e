import { emit, Slice, Writer } from "../sdk/index";
import { statusName, Submission } from "./record";
import { relationName, typeName } from "./types";

/** Topic of a new credential: [id, type, issuer, [[parent id, relation], …], replaces | null]. */
export const SUBMITTED = "credential.submitted";
/** Topic of a change of status: [id, type, status, by, replacedBy | null]. */
export const STATUS_CHANGED = "credential.status";

/** Topic of a proposal: [id, type, issuer, status, by, end of the proposal]. */
export const PROPOSAL = "credential.proposal";

export function emitProposal(record: Submission, status: string, by: usize, untilMs: i64): void {
  const writer = new Writer(224);
  writer.list(6);
  writer.bytes(record.id, 32);
  writer.ascii(typeName(record.type));
  writer.bytes(record.issuer, 32);
  writer.ascii(status);
  writer.bytes(by, 32);
  writer.u64(<u64>untilMs);
  emit(PROPOSAL, writer.slice());
}

export function emitSubmitted(record: Submission, replaces: usize): void {
  const writer = new Writer(192 + record.parentCount * 64);
  writer.list(5);
  writer.bytes(record.id, 32);
  writer.ascii(typeName(record.type));
  writer.bytes(record.issuer, 32);
  writeParents(writer, record);
  writer.bytesOrNull(replaces, 32);
  emit(SUBMITTED, writer.slice());
}

export function writeParents(writer: Writer, record: Submission): void {
  writer.list(record.parentCount);
  for (let i = 0; i < record.parentCount; i++) {
    writer.list(2);
    writer.bytes(record.parents[i], 32);
    writer.ascii(relationName(record.relations[i]));
  }
}

export function emitStatus(
  record: Submission,
  status: i32,
  by: usize,
  replacedBy: usize,
): void {
  const writer = new Writer(192);
  writer.list(5);
  writer.bytes(record.id, 32);
  writer.ascii(typeName(record.type));
  writer.ascii(statusName(status));
  writer.bytes(by, 32);
  writer.bytesOrNull(replacedBy, 32);
  emit(STATUS_CHANGED, writer.slice());
}
