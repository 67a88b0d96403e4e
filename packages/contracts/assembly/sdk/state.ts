import { stateDelete, stateGet, statePut, stateRange } from "./host";
import { allocate, Slice, takeBuffer } from "./memory";

/**
 * A map of the contract's state whose keys are a one-byte prefix and parts behind it. A key is
 * built in memory of its own, so that one map may be used inside a walk over another.
 */
@final
export class StateMap {
  constructor(private prefix: u8) {}

  /** The state key of up to two parts; lengths may be 0. */
  key(first: usize, firstLength: usize, second: usize = 0, secondLength: usize = 0): Slice {
    const length: usize = 1 + firstLength + secondLength;
    const pointer = allocate(length);
    store<u8>(pointer, this.prefix);
    memory.copy(pointer + 1, first, firstLength);
    memory.copy(pointer + 1 + firstLength, second, secondLength);
    return new Slice(pointer, length);
  }

  static has(key: Slice): bool {
    return stateGet(key.pointer, key.length) >= 0;
  }

  static get(key: Slice): Slice | null {
    const length = stateGet(key.pointer, key.length);
    return length < 0 ? null : takeBuffer(length);
  }

  static put(key: Slice, value: Slice): void {
    statePut(key.pointer, key.length, value.pointer, value.length);
  }

  static remove(key: Slice): void {
    stateDelete(key.pointer, key.length);
  }

  /**
   * One page of the keys from `from` to before `to`: `[list of [key, value], next]`, at most `limit`
   * (256) entries. `next` is `from` of the next page, or null where the range ends.
   */
  static range(from: Slice, to: Slice, limit: i32): Slice {
    return takeBuffer(stateRange(from.pointer, from.length, to.pointer, to.length, limit));
  }
}
