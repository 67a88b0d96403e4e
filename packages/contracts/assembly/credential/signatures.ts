import { isEqual32, Reader, Signers, Writer } from "../sdk/index";

/** As many as a transaction has signatures. */
export const MAX_ADDRESSES = 16;

/** Whether the 32 bytes at `a` stand before those at `b`. */
function isBefore(a: usize, b: usize): bool {
  for (let at: usize = 0; at < 32; at += 8) {
    const left = bswap<u64>(load<u64>(a + at));
    const right = bswap<u64>(load<u64>(b + at));
    if (left != right) return left < right;
  }
  return false;
}

/** Addresses, ascending, none twice. */
@final
export class Addresses {
  count: i32 = 0;
  private items: StaticArray<usize> = new StaticArray<usize>(MAX_ADDRESSES);

  at(index: i32): usize {
    return this.items[index];
  }

  has(address: usize): bool {
    for (let i = 0; i < this.count; i++) if (isEqual32(this.items[i], address)) return true;
    return false;
  }

  /** Whether there was room for it, or it is there already. */
  add(address: usize): bool {
    if (this.has(address)) return true;
    if (this.count == MAX_ADDRESSES) return false;
    let place = this.count;
    while (place > 0 && isBefore(address, this.items[place - 1])) {
      this.items[place] = this.items[place - 1];
      place--;
    }
    this.items[place] = address;
    this.count += 1;
    return true;
  }

  write(writer: Writer): void {
    writer.list(this.count);
    for (let i = 0; i < this.count; i++) writer.bytes(this.items[i], 32);
  }

  static read(reader: Reader): Addresses {
    const addresses = new Addresses();
    const count = <i32>reader.list(MAX_ADDRESSES);
    for (let i = 0; i < count; i++) addresses.add(reader.bytes(32));
    return addresses;
  }
}

/**
 * Who consents to a record: those who signed this transaction, whom the node judged with its
 * envelope, and those who signed the proposal in transactions before.
 */
@final
export class Consent {
  constructor(
    public now: Signers,
    public earlier: Addresses,
  ) {}

  has(address: usize): bool {
    return this.now.has(address) || this.earlier.has(address);
  }

  /** Everybody but the issuer. */
  coSigners(issuer: usize): Addresses {
    const all = new Addresses();
    for (let i = 0; i < this.earlier.count; i++) {
      const address = this.earlier.at(i);
      if (!isEqual32(address, issuer)) all.add(address);
    }
    for (let i = 0; i < this.now.count; i++) {
      const address = this.now.at(i).address;
      if (!isEqual32(address, issuer)) all.add(address);
    }
    return all;
  }
}
