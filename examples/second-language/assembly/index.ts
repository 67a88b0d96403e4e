/*
 * Totals by name, in AssemblyScript. c/tally.c is the same contract in C: both give the same answers,
 * events and state for the same calls, byte for byte.
 */
import { answer, demand, emit, input, Reader, Slice, StateMap, Writer } from "./sdk/index";

const CONTRACT_VERSION: string = "tally@1.0.0";
const MALFORMED: string = "TALLY_MALFORMED";
const TOTALS: u8 = 0x74;
const MAX_NAME: u32 = 32;

function keyOf(name: Slice): Slice {
  return new StateMap(TOTALS).key(name.pointer, name.length);
}

/** [total] as it is stored and answered; 0 where nothing was added. */
function totalOf(key: Slice): u64 {
  const stored = StateMap.get(key);
  if (stored === null) return 0;
  const reader = Reader.of(<Slice>stored, MALFORMED);
  reader.struct(1);
  return reader.u64();
}

function encodeTotal(total: u64): Slice {
  const writer = new Writer(10);
  writer.list(1);
  writer.u64(total);
  return writer.slice();
}

/** Args [name, amount]. Event tally.added: the new [total]. */
export function add(): void {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(2);
  const name = reader.text(MAX_NAME);
  const amount = reader.u64();
  reader.finish();
  const key = keyOf(name);
  const before = totalOf(key);
  demand(before <= u64.MAX_VALUE - amount, "TALLY_OVERFLOW");
  const total = encodeTotal(before + amount);
  StateMap.put(key, total);
  emit("tally.added", total);
}

/** Args [name]. Returns [total]. */
export function get(): void {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(1);
  const name = reader.text(MAX_NAME);
  reader.finish();
  answer(encodeTotal(totalOf(keyOf(name))));
}
