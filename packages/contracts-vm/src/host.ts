import { isZeroPointSum, POINT_BYTES, sm2Verify, sm3 } from "@credlink/crypto";
import { MAX_EVENT_BYTES, MAX_EVENTS, MAX_RANGE_ENTRIES, MAX_RETURN_BYTES } from "@credlink/ledger";
import { concatBytes, encode, utf8 } from "@credlink/primitives";
import {
  type Call,
  contractIdentity,
  type Identity,
  identitiesCodec,
  identityCodec,
  type RunCall,
} from "./call.ts";
import { GasMeter } from "./gas-meter.ts";
import { type HostCost, hostCosts } from "./gas-schedule.ts";
import { HostMemory, lengthOf, type Word } from "./host-memory.ts";
import { StateOverlay } from "./state-overlay.ts";
import { MAX_KEY_BYTES, pageOf, statePageCodec } from "./state-page.ts";
import { Stop } from "./stop.ts";
import type { BoundInstance } from "./wasm/bound-instance.ts";
import type { HostFunction, WasmImports } from "./wasm/engine.ts";
import { HOST_MODULE, type HostImport } from "./wasm/host-imports.ts";
import { CONTRACT_CALL_SLOTS } from "./wasm/limits.ts";

/** Longest value that a WebAssembly contract stores, in bytes. */
export const MAX_VALUE_BYTES = 64 * 1024;
const MAX_TOPIC_BYTES = 64;
const MAX_NAME_BYTES = 64;
const MAX_MESSAGE_BYTES = 1024;
const PUBLIC_KEY_BYTES = 65;
const SIGNATURE_BYTES = 64;
/** Most points that one sum takes. */
export const MAX_SUM_POINTS = 64;

/** Form of a contract's own refusal codes. */
const REVERT_CODE = /^[A-Z][A-Z0-9_]{2,63}$/;
/** Codes that only the node itself gives. */
const RESERVED_CODE = /^(?:VM_|LEDGER_|SUCCESS$)/;

/** What the host needs beside the call; `begin` hands it over. */
export interface HostServices {
  readonly run: RunCall;
  /** Contracts that the running one may call. */
  readonly calls: readonly string[];
}

const NO_BYTES = new Uint8Array(0);

/** Most gas that the module takes at once. */
const MAX_CHARGE = 2 ** 32 - 1;

/** A member's identity is one object for a whole block, and every call asks for it. */
const encodedIdentities = new WeakMap<Identity, Uint8Array>();

function encodeIdentity(identity: Identity): Uint8Array {
  let bytes = encodedIdentities.get(identity);
  if (bytes === undefined) {
    bytes = encode(identityCodec, identity);
    encodedIdentities.set(identity, bytes);
  }
  return bytes;
}

/** Most items of a list whose head is one byte. */
const SHORT_LIST = 15;
const LIST_HEAD = 0x90;

/** `identitiesCodec`'s encoding, put together from what is encoded already. */
export function encodeIdentities(identities: readonly Identity[]): Uint8Array {
  if (identities.length > SHORT_LIST) return encode(identitiesCodec, identities);
  const head = Uint8Array.of(LIST_HEAD | identities.length);
  return concatBytes(head, ...identities.map(encodeIdentity));
}

/** Operands of `contract_call`: name, method and arguments by pointer and length; gas. */
type ContractCallValues = readonly [
  name: Word,
  nameLength: Word,
  method: Word,
  methodLength: Word,
  args: Word,
  argsLength: Word,
  gas: bigint,
];

/** A call and what goes with it, while it runs. */
interface RunningCall {
  readonly call: Call;
  readonly services: HostServices;
}

/**
 * The host interface of one instance: `attach` names it once, `begin` and `end` stand around
 * each call. Nothing of a call is kept for the next one.
 */
export class Host {
  readonly imports: WasmImports;
  private instance: BoundInstance | null = null;
  private running: RunningCall | null = null;
  /** Last value that `return_value` set. */
  private returnValue: Uint8Array = NO_BYTES;
  /** What `buffer_read` hands over. */
  private buffer: Uint8Array = NO_BYTES;
  private readonly memory = new HostMemory();

  constructor() {
    this.imports = { [HOST_MODULE]: this.functions() };
  }

  attach(instance: BoundInstance): void {
    this.instance = instance;
    this.memory.bind(instance.memory);
  }

  begin(call: Call, services: HostServices): void {
    this.running = { call, services };
    this.returnValue = NO_BYTES;
    this.buffer = NO_BYTES;
  }

  /** Ends a call and answers what it returned. */
  end(): Uint8Array {
    const { returnValue } = this;
    this.running = null;
    this.returnValue = NO_BYTES;
    this.buffer = NO_BYTES;
    return returnValue;
  }

  private get call(): Call {
    return this.current().call;
  }

  private current(): RunningCall {
    if (this.running === null) throw new Stop("VM_HOST_ARGUMENT", "called before its method");
    return this.running;
  }

  private functions(): Readonly<Record<HostImport, HostFunction>> {
    return {
      input_size: () => this.charged(hostCosts.input, this.call.args.length),
      input_read: (at: Word) => this.write(at, this.call.args, hostCosts.input),
      buffer_read: (at: Word) => this.write(at, this.buffer, hostCosts.buffer),
      return_value: (at: Word, length: Word) => this.setReturnValue(at, length),
      revert: (code: Word, codeLength: Word, message: Word, messageLength: Word) =>
        this.revert(code, codeLength, message, messageLength),
      state_get: (at: Word, length: Word) => this.stateGet(at, length),
      state_put: (key: Word, keyLength: Word, value: Word, valueLength: Word) =>
        this.statePut(key, keyLength, value, valueLength),
      state_delete: (at: Word, length: Word) => this.stateDelete(at, length),
      state_range: (from: Word, fromLength: Word, to: Word, toLength: Word, limit: Word) =>
        this.stateRange(from, fromLength, to, toLength, limit),
      event: (topic: Word, topicLength: Word, data: Word, dataLength: Word) =>
        this.event(topic, topicLength, data, dataLength),
      caller: () => this.charged(hostCosts.caller, this.answer(encodeIdentity(this.call.caller))),
      signers: () => this.signers(),
      block_height: () => this.charged(hostCosts.block, BigInt(this.call.block.height)),
      block_time: () => this.charged(hostCosts.block, BigInt(this.call.block.timestampMs)),
      sm3: (at: Word, length: Word, out: Word) => this.sm3(at, length, out),
      sm2_verify: (key: Word, message: Word, length: Word, signature: Word) =>
        this.sm2Verify(key, message, length, signature),
      contract_call: (...values: ContractCallValues) => this.contractCall(values),
      commitment_sum: (at: Word, plus: Word, minus: Word) => this.commitmentSum(at, plus, minus),
      abort: (_message: Word, _file: Word, line: Word, column: Word) =>
        stop("VM_ABORT", `${line}:${column}`),
    };
  }

  private bound(): BoundInstance {
    if (this.instance === null) throw new Stop("VM_HOST_ARGUMENT", "called before its method");
    return this.instance;
  }

  /** Takes gas from what the module has left; the module traps where it is not there. */
  private charge(gas: number): void {
    const { charge } = this.bound();
    let left = gas;
    for (; left > MAX_CHARGE; left -= MAX_CHARGE) charge(MAX_CHARGE);
    charge(left);
  }

  private chargeFor({ base, perByte }: HostCost, bytes: number): void {
    this.charge(base + perByte * bytes);
  }

  private charged<T>(cost: HostCost, value: T): T {
    this.charge(cost.base);
    return value;
  }

  private write(at: Word, bytes: Uint8Array, cost: HostCost): undefined {
    const start = this.memory.place(at, bytes.length);
    this.chargeFor(cost, bytes.length);
    this.memory.write(start, bytes);
  }

  /** Keeps a variable-length result for `buffer_read` and answers its length. */
  private answer(bytes: Uint8Array): number {
    this.buffer = bytes;
    return bytes.length;
  }

  private setReturnValue(at: Word, length: Word): undefined {
    this.memory.place(at, length);
    if (lengthOf(length) > MAX_RETURN_BYTES) throw new Stop("VM_RETURN_TOO_LARGE");
    this.chargeFor(hostCosts.returnValue, lengthOf(length));
    this.returnValue = this.memory.read(at, length);
  }

  private revert(code: Word, codeLength: Word, message: Word, messageLength: Word): never {
    const status = this.memory.readText(code, codeLength, MAX_NAME_BYTES);
    const detail = this.memory.readText(message, messageLength, MAX_MESSAGE_BYTES);
    this.chargeFor(hostCosts.revert, lengthOf(codeLength) + lengthOf(messageLength));
    if (!REVERT_CODE.test(status) || RESERVED_CODE.test(status)) {
      throw new Stop("VM_HOST_ARGUMENT", "form of a revert code");
    }
    throw new Stop(status, detail);
  }

  /** Start of a key whose place and length are right. */
  private placeKey(at: Word, length: Word, least = 1, most = MAX_KEY_BYTES): number {
    const start = this.memory.place(at, length);
    const size = lengthOf(length);
    if (size < least || size > most) throw new Stop("VM_HOST_ARGUMENT", "length of a key");
    return start;
  }

  private readKey(at: Word, length: Word, least?: number, most?: number): Uint8Array {
    this.placeKey(at, length, least, most);
    return this.memory.read(at, length);
  }

  private stateGet(at: Word, length: Word): number {
    const name = this.memory.name(this.placeKey(at, length), length);
    this.charge(hostCosts.stateGet.base);
    const { state, contract } = this.call;
    // Who answers keeps no key, so that it need not be copied.
    const value = state.get(contract, this.memory.look(at, length), name);
    if (value === null) return -1;
    this.charge(hostCosts.stateGet.perByte * value.length);
    return this.answer(value);
  }

  private statePut(key: Word, keyLength: Word, value: Word, valueLength: Word): undefined {
    this.requireWritable();
    const keyBytes = this.readKey(key, keyLength);
    this.memory.place(value, valueLength);
    const size = lengthOf(valueLength);
    if (size > MAX_VALUE_BYTES) throw new Stop("VM_HOST_ARGUMENT", "length of a value");
    this.chargeFor(hostCosts.statePut, keyBytes.length + size);
    this.change(keyBytes, this.memory.read(value, valueLength));
  }

  private stateDelete(at: Word, length: Word): undefined {
    this.requireWritable();
    const key = this.readKey(at, length);
    this.chargeFor(hostCosts.stateDelete, key.length);
    this.change(key, null);
  }

  private change(key: Uint8Array, value: Uint8Array | null): void {
    const { contract, state } = this.call;
    if (!state.setWithinQuota(contract, key, value)) throw new Stop("VM_STATE_QUOTA", contract);
  }

  private stateRange(from: Word, fromLength: Word, to: Word, toLength: Word, limit: Word): number {
    // What continues behind a key of the greatest length has one byte more.
    const first = this.readKey(from, fromLength, 0, MAX_KEY_BYTES + 1);
    const end = this.readKey(to, toLength, 0, MAX_KEY_BYTES + 1);
    const most = lengthOf(limit);
    if (most < 1 || most > MAX_RANGE_ENTRIES) throw new Stop("VM_HOST_ARGUMENT", "range limit");
    this.charge(hostCosts.stateRange.base + hostCosts.rangeEntry.base * most);
    const { contract, state } = this.call;
    const page = pageOf(state.range({ contract, from: first, to: end, limit: most }), most);
    const deleted = state.countDeleted(contract, first, page.next ?? end);
    this.charge(
      hostCosts.stateRange.perByte * page.sizeBytes + hostCosts.rangeEntry.base * deleted,
    );
    return this.answer(encode(statePageCodec, page));
  }

  private event(topic: Word, topicLength: Word, data: Word, dataLength: Word): undefined {
    this.requireWritable();
    const name = this.memory.readText(topic, topicLength, MAX_TOPIC_BYTES);
    this.memory.place(data, dataLength);
    const size = lengthOf(dataLength);
    const { contract, events, eventsBefore } = this.call;
    if (size > MAX_EVENT_BYTES || eventsBefore + events.length >= MAX_EVENTS) {
      throw new Stop("VM_EVENT_LIMIT");
    }
    this.chargeFor(hostCosts.event, size);
    events.push({ contract, topic: name, data: this.memory.read(data, dataLength) });
  }

  private sm3(at: Word, length: Word, out: Word): undefined {
    this.memory.place(at, length);
    const target = this.memory.place(out, 32);
    this.chargeFor(hostCosts.sm3, lengthOf(length));
    this.memory.write(target, sm3(this.memory.look(at, length)));
  }

  private sm2Verify(key: Word, message: Word, length: Word, signature: Word): number {
    this.memory.place(message, length);
    const publicKey = this.memory.look(key, PUBLIC_KEY_BYTES);
    const signatureBytes = this.memory.look(signature, SIGNATURE_BYTES);
    this.chargeFor(hostCosts.sm2Verify, lengthOf(length));
    return sm2Verify(publicKey, this.memory.look(message, length), signatureBytes) ? 1 : 0;
  }

  /** 1 when the first `plus` points equal the `minus` that follow, 0 when not, −1: no points. */
  private commitmentSum(at: Word, plus: Word, minus: Word): number {
    const count = lengthOf(plus) + lengthOf(minus);
    if (count > MAX_SUM_POINTS) throw new Stop("VM_HOST_ARGUMENT", "number of points");
    const points = this.memory.look(at, count * POINT_BYTES);
    this.chargeFor(hostCosts.commitmentSum, points.length);
    const isZero = isZeroPointSum(points, lengthOf(plus));
    return isZero === null ? -1 : Number(isZero);
  }

  private signers(): number {
    const { signers } = this.call;
    this.charge(hostCosts.caller.base + hostCosts.signer.base * signers.length);
    return this.answer(encodeIdentities(signers));
  }

  private requireWritable(): void {
    if (this.call.readOnly) throw new Stop("VM_READ_ONLY");
  }

  private contractCall(values: ContractCallValues): number {
    const { call, services } = this.current();
    const instance = this.bound();
    call.gas.settle(Number(instance.gas.value));
    const [name, nameLength, method, methodLength, args, argsLength, most] = values;
    const contract = this.memory.readText(name, nameLength, MAX_NAME_BYTES);
    const methodName = this.memory.readText(method, methodLength, MAX_NAME_BYTES);
    this.memory.place(args, argsLength);
    call.gas.chargeFor(hostCosts.contractCall, lengthOf(argsLength));
    if (!services.calls.includes(contract)) throw new Stop("VM_CALL_FORBIDDEN", contract);
    const wanted = BigInt.asUintN(64, most);
    const remaining = BigInt(call.gas.remaining);
    const gas = new GasMeter(Number(wanted < remaining ? wanted : remaining));
    const state = new StateOverlay(call.state);
    const inner: Call = {
      block: call.block,
      readOnly: call.readOnly,
      contract,
      version: null,
      method: methodName,
      args: this.memory.read(args, argsLength),
      caller: contractIdentity(call.contract),
      signers: [],
      gas,
      state,
      events: [],
      eventsBefore: call.eventsBefore + call.events.length,
      running: [...call.running, call.contract],
      stack: instance.stack.value + CONTRACT_CALL_SLOTS,
    };
    const outcome = services.run(inner);
    call.gas.charge(gas.used);
    let answer = -1;
    if (outcome.ok) {
      state.mergeInto(call.state);
      call.events.push(...inner.events);
      answer = this.answer(outcome.returnValue);
    } else {
      this.answer(utf8(outcome.status));
    }
    instance.gas.value = BigInt(call.gas.remaining);
    return answer;
  }
}

function stop(status: string, detail?: string): never {
  throw new Stop(status, detail);
}
