import { bufferRead, hostCaller, hostCommitmentSum, hostContractCall } from "./host";
import { hostEvent, hostSigners } from "./host";
import { hostSm2Verify, hostSm3, returnValue } from "./host";
import { allocate, ascii, isEqual32, Slice, takeBuffer } from "./memory";
import { Reader } from "./reader";

/** Raised only if the host breaks its own format. */
const HOST_MALFORMED = "CONTRACT_HOST_MALFORMED";
/** A transaction has at most this many signatures. */
const MAX_SIGNERS: u32 = 16;

/** A member as the host names it. */
@final
export class Party {
  constructor(
    public address: usize,
    public role: Slice,
    public organization: Slice,
  ) {}
}

function readParty(reader: Reader): Party {
  reader.struct(3);
  return new Party(reader.bytes(32), reader.text(64), reader.text(64));
}

/** Who called: the transaction's sender, or the calling contract under a zero address. */
export function caller(): Party {
  return readParty(Reader.of(takeBuffer(hostCaller()), HOST_MALFORMED));
}

/** Who signed the transaction, sender first; nobody when another contract calls. */
@final
export class Signers {
  private parties: StaticArray<Party | null> = new StaticArray<Party | null>(MAX_SIGNERS);
  count: i32 = 0;

  constructor() {
    const reader = Reader.of(takeBuffer(hostSigners()), HOST_MALFORMED);
    this.count = reader.list(MAX_SIGNERS);
    for (let i = 0; i < this.count; i++) this.parties[i] = readParty(reader);
  }

  at(index: i32): Party {
    return <Party>this.parties[index];
  }

  has(address: usize): bool {
    for (let i = 0; i < this.count; i++) if (isEqual32(this.at(i).address, address)) return true;
    return false;
  }
}

export function emit(topic: string, data: Slice): void {
  const name = ascii(topic);
  hostEvent(name.pointer, name.length, data.pointer, data.length);
}

/** Sets what the call returns; the last one counts. */
export function answer(value: Slice): void {
  returnValue(value.pointer, value.length);
}

/** SM3 of the bytes, 32 of them. */
export function sm3(bytes: Slice): usize {
  const out = allocate(32);
  hostSm3(bytes.pointer, bytes.length, out);
  return out;
}

/** The digest rule of the protocol: SM3(length of the domain ‖ domain ‖ bytes). */
export function taggedSm3(domain: string, bytes: Slice): usize {
  const name = ascii(domain);
  const message = allocate(1 + name.length + bytes.length);
  store<u8>(message, <u8>name.length);
  memory.copy(message + 1, name.pointer, name.length);
  memory.copy(message + 1 + name.length, bytes.pointer, bytes.length);
  return sm3(new Slice(message, 1 + name.length + bytes.length));
}

/** Points of the SM2 curve, x ‖ y of 64 bytes, one behind the other, 64 at most. */
@final
export class Points {
  private start: usize;
  private count: i32 = 0;

  /** @param most how many will be added. */
  constructor(private most: i32) {
    this.start = allocate(<usize>most << 6);
  }

  add(point: usize): void {
    if (this.count == this.most) unreachable();
    memory.copy(this.start + (<usize>this.count << 6), point, 64);
    this.count += 1;
  }

  /** 1 when the first `plus` sum to the same as the rest, 0 when not, −1: one is no point. */
  compare(plus: i32): i32 {
    return hostCommitmentSum(this.start, plus, this.count - plus);
  }
}

/** SM2-with-SM3 under the default ID: a 65-byte key, a 64-byte r ‖ s. */
export function sm2Verify(publicKey: usize, message: Slice, signature: usize): bool {
  return hostSm2Verify(publicKey, message.pointer, message.length, signature) == 1;
}

/** Result of a call of another contract. */
@final
export class CallResult {
  constructor(
    public succeeded: bool,
    /** What it returned, or the status text of its failure. */
    public value: Slice,
  ) {}
}

/** Most bytes of a status text. */
const STATUS_BYTES: usize = 64;

/** The host says no length of a status; memory behind it stays zero. */
function takeStatus(): Slice {
  const pointer = allocate(STATUS_BYTES);
  memory.fill(pointer, 0, STATUS_BYTES);
  bufferRead(pointer);
  let length: usize = 0;
  while (length < STATUS_BYTES && load<u8>(pointer + length) != 0) length++;
  return new Slice(pointer, length);
}

/** Calls another contract, which gets no authority from the caller, with at most `gas`. */
export function call(contract: string, method: string, args: Slice, gas: i64): CallResult {
  const name = ascii(contract);
  const methodName = ascii(method);
  const length = hostContractCall(
    name.pointer,
    name.length,
    methodName.pointer,
    methodName.length,
    args.pointer,
    args.length,
    gas,
  );
  if (length >= 0) return new CallResult(true, takeBuffer(length));
  return new CallResult(false, takeStatus());
}
