/*
 * The memory of a contract: taken from the end of what is used, never given back, since an
 * instance lives for one call. Unlike AssemblyScript's stub runtime it needs no start function,
 * which the node refuses. Objects carry eight bytes in front: class id, then size.
 */

/** End of what is used; 0 before the first allocation. */
// @ts-ignore: decorator
@lazy let end: usize = 0;

const ALIGN_MASK: usize = 7;
const HEADER: usize = 8;
const PAGE_SHIFT: usize = 16;
/** No single allocation is larger than all the memory a contract may have. */
const MAX_SIZE: usize = 1 << 24;

// @ts-ignore: decorator
@unsafe @global
export function __alloc(size: usize): usize {
  if (size > MAX_SIZE) unreachable();
  const pointer = end == 0 ? (__heap_base + ALIGN_MASK) & ~ALIGN_MASK : end;
  const next = (pointer + size + ALIGN_MASK) & ~ALIGN_MASK;
  const limit = <usize>memory.size() << PAGE_SHIFT;
  if (next > limit) {
    const pages = <i32>((next - limit + 0xffff) >> PAGE_SHIFT);
    if (memory.grow(pages) < 0) unreachable();
  }
  end = next;
  return pointer;
}

// @ts-ignore: decorator
@unsafe @global
export function __realloc(pointer: usize, size: usize): usize {
  // The old size is not kept: copying the new one reads at most into memory behind it.
  const fresh = __alloc(size);
  memory.copy(fresh, pointer, min(size, fresh - pointer));
  return fresh;
}

// @ts-ignore: decorator
@unsafe @global
export function __free(pointer: usize): void {}

// @ts-ignore: decorator
@unsafe @global
export function __new(size: usize, id: u32): usize {
  const pointer = __alloc(HEADER + size);
  store<u32>(pointer, id);
  store<u32>(pointer + 4, <u32>size);
  return pointer + HEADER;
}

// @ts-ignore: decorator
@unsafe @global
export function __renew(pointer: usize, size: usize): usize {
  const old = <usize>load<u32>(pointer - 4);
  const fresh = __new(size, load<u32>(pointer - 8));
  memory.copy(fresh, pointer, min(old, size));
  return fresh;
}

// @ts-ignore: decorator
@unsafe @global
export function __link(parent: usize, child: usize, expectMultiple: bool): void {}

// @ts-ignore: decorator
@unsafe @global
export function __pin(pointer: usize): usize {
  return pointer;
}

// @ts-ignore: decorator
@unsafe @global
export function __unpin(pointer: usize): void {}

// @ts-ignore: decorator
@unsafe @global
function __visit(pointer: usize, cookie: u32): void {}

// @ts-ignore: decorator
@unsafe @global
export function __collect(): void {}
