/*
 * Exercises the SDK for its tests: not deployed anywhere. `echo` takes [u32, u64, bool, text,
 * byte string, null or 32 bytes, [list of u32]] and returns what it read, written again.
 */
import {
  answer,
  blockHeight,
  blockTimeMs,
  call,
  caller,
  emit,
  input,
  Reader,
  revert,
  Signers,
  Slice,
  sm2Verify,
  sm3,
  StateMap,
  Writer,
} from "./sdk/index";

const CONTRACT_VERSION: string = "probe@1.0.0";
const MALFORMED = "PROBE_MALFORMED";

function argsReader(): Reader {
  return Reader.of(input(), MALFORMED);
}

export function echo(): void {
  const reader = argsReader();
  reader.struct(7);
  const writer = new Writer(4);
  writer.list(7);
  writer.u32(reader.u32());
  writer.u64(reader.u64());
  writer.bool(reader.bool());
  const text = reader.text(1_000);
  writer.text(text.pointer, <u32>text.length);
  const bytes = reader.byteString(70_000);
  writer.bytes(bytes.pointer, <u32>bytes.length);
  writer.bytesOrNull(reader.bytesOrNull(32), 32);
  const count = reader.list(300);
  writer.list(count);
  for (let i: u32 = 0; i < count; i++) writer.u32(reader.u32());
  reader.finish();
  answer(writer.slice());
}

/** Steps over any one value, which must be all there is. */
export function skip(): void {
  const reader = argsReader();
  reader.skip();
  reader.finish();
}

/** Args [prefix key, value]: puts, reads back, lists, deletes; returns [value, range, found]. */
export function state(): void {
  const reader = argsReader();
  reader.struct(2);
  const name = reader.byteString(64);
  const value = reader.byteString(1_000);
  const map = new StateMap(0x6d);
  const key = map.key(name.pointer, name.length);
  StateMap.put(key, value);
  const read = StateMap.get(key);
  if (read === null) revert(MALFORMED);
  const writer = new Writer(64);
  writer.list(3);
  writer.bytes((<Slice>read).pointer, <u32>(<Slice>read).length);
  const from = map.key(0, 0);
  const to = new StateMap(0x6e).key(0, 0);
  const rows = StateMap.range(from, to, 16);
  writer.raw(rows.pointer, rows.length);
  StateMap.remove(key);
  writer.bool(StateMap.has(key));
  answer(writer.slice());
}

/** Args [public key, message, signature]: returns [height, time, caller, signers, sm3, valid]. */
export function context(): void {
  const reader = argsReader();
  reader.struct(3);
  const publicKey = reader.bytes(65);
  const message = reader.byteString(1_000);
  const signature = reader.bytes(64);
  const writer = new Writer(256);
  const sender = caller();
  writer.list(6);
  writer.u64(<u64>blockHeight());
  writer.u64(<u64>blockTimeMs());
  writer.bytes(sender.address, 32);
  writer.u32(new Signers().count);
  writer.bytes(sm3(message), 32);
  writer.bool(sm2Verify(publicKey, message, signature));
  emit("probe.context", message);
  answer(writer.slice());
}

/** Args [address]: asks the member registry; returns [succeeded, answer or status]. */
export function member(): void {
  const args = input();
  const result = call("members", "get", args, 200_000);
  const writer = new Writer(256);
  writer.list(2);
  writer.bool(result.succeeded);
  writer.bytes(result.value.pointer, <u32>result.value.length);
  answer(writer.slice());
}

/** Fails a bounds check. */
export function broken(): void {
  const numbers = new StaticArray<u32>(1);
  numbers[<i32>input().length] = 1;
}
