import { answer, demand, isEqual32, revert, Writer } from "../sdk/index";
import { writeParents } from "./events";
import { loadStored, statusName, Stored } from "./record";
import { typeName } from "./types";

/** Most credentials that one walk remembers. */
const MAX_WALK: u32 = 1_024;
/** A page ends before it grows beyond this; a method returns 16 KiB at most. */
const PAGE_BYTES: usize = 14 * 1_024;

/**
 * Walks up from a credential through all its parents, breadth first, each once, and answers with
 * [[[id, type, status, [[parent id, relation], …]], …], next offset | null], from `offset` on.
 */
export function answerTrace(id: usize, offset: u32, limit: u32): void {
  const queue = new StaticArray<usize>(MAX_WALK);
  queue[0] = id;
  let known: u32 = 1;
  let at: u32 = 0;
  let taken: u32 = 0;
  const page = new Writer(PAGE_BYTES + 2_048);
  while (at < known && taken < limit && page.length < PAGE_BYTES) {
    const found = loadStored(queue[at]);
    if (found === null) revert("CREDENTIAL_UNKNOWN");
    const stored = <Stored>found;
    const record = stored.submission;
    for (let i = 0; i < record.parentCount; i++) {
      known = enqueue(queue, known, record.parents[i]);
    }
    if (at >= offset) {
      page.list(4);
      page.bytes(record.id, 32);
      page.ascii(typeName(record.type));
      page.ascii(statusName(stored.status));
      writeParents(page, record);
      taken++;
    }
    at++;
  }
  const items = page.slice();
  const writer = new Writer(items.length + 16);
  writer.list(2);
  writer.list(taken);
  writer.raw(items.pointer, items.length);
  if (at < known) writer.u32(at);
  else writer.nothing();
  answer(writer.slice());
}

function enqueue(queue: StaticArray<usize>, known: u32, id: usize): u32 {
  for (let i: u32 = 0; i < known; i++) if (isEqual32(queue[i], id)) return known;
  demand(known < MAX_WALK, "CREDENTIAL_TRACE_TOO_LARGE");
  queue[known] = id;
  return known + 1;
}
