import { taggedSm3 } from "@credlink/crypto";
import {
  bool,
  bytesUpTo,
  type Codec,
  type Digest,
  digestCodec,
  encode,
  equalBytes,
  list,
  struct,
  toHex,
  tryDecode,
  u32,
} from "@credlink/primitives";
import { GAS_SCHEDULE } from "./gas-schedule.ts";
import { isRestorable } from "./wasm/instance-snapshot.ts";
import { instrumentModule } from "./wasm/instrument.ts";
import { limits } from "./wasm/limits.ts";
import type { WasmModule } from "./wasm/module.ts";

/**
 * Changes with everything that shapes metered forms beside the schedule: what an earlier build of
 * the node kept is not found under it.
 */
const FORM_VERSION = 1;

/** The metered form of a module, and what running it needs to know of the original. */
export interface MeteredModule {
  readonly form: Uint8Array;
  /** Pages of initial memory, and bytes of all data segments. */
  readonly initialPages: number;
  readonly dataBytes: number;
  /** Indexes of the contract's own globals that code can change. */
  readonly mutableGlobals: readonly number[];
  /** Whether a call's instance can be brought back to what it was. */
  readonly isRestorable: boolean;
}

/** Derives the metered form of a validated module. @param methods exports that may be called. */
export function meterModule(module: WasmModule, methods: readonly string[]): MeteredModule {
  return {
    form: instrumentModule(module, methods),
    initialPages: module.memory?.minimum ?? 0,
    dataBytes: module.dataBytes,
    mutableGlobals: module.mutableGlobals,
    isRestorable: isRestorable(module),
  };
}

/** What a form is made of: code and manifest decide everything. */
export interface FormOrigin {
  readonly codeDigest: Digest;
  readonly manifestDigest: Digest;
}

/**
 * Keeps metered forms between two starts of a node, so that the first call after a start does not
 * validate and rewrite its contract again. A cache: what it does not give back is derived anew.
 */
export interface FormStore {
  /** What was saved under a name, or null. It must be what was saved, to the byte. */
  load(name: string): Uint8Array | null;
  /** Keeps bytes under a name of letters and digits; it may forget them at any time. */
  save(name: string, content: Uint8Array): void;
  /** What it gave back was no form of this name: it is to be forgotten. */
  refuse(name: string): void;
}

interface StoredForm extends MeteredModule, FormOrigin {
  readonly version: number;
  readonly schedule: number;
}

/** Room for what the instrumentation adds to the largest module. */
const MAX_FORM_BYTES = 64 * limits.moduleBytes;

const storedFormCodec: Codec<StoredForm> = struct({
  version: u32,
  schedule: u32,
  codeDigest: digestCodec,
  manifestDigest: digestCodec,
  form: bytesUpTo(MAX_FORM_BYTES),
  initialPages: u32,
  dataBytes: u32,
  mutableGlobals: list(u32, limits.globals),
  isRestorable: bool,
});

/** Name under which a form is kept: of what it is made and by which rules. */
export function formName({ codeDigest, manifestDigest }: FormOrigin): string {
  const rules = Uint8Array.of(FORM_VERSION, GAS_SCHEDULE);
  return toHex(taggedSm3("credlink/contract-form/1", rules, codeDigest, manifestDigest));
}

/** The form that a store keeps, or null; what is not the form of this origin is refused there. */
export function loadForm(store: FormStore, origin: FormOrigin): MeteredModule | null {
  const name = formName(origin);
  const content = store.load(name);
  if (content === null) return null;
  const stored = tryDecode(storedFormCodec, content, { maxBytes: content.length });
  const isRight =
    stored.ok &&
    stored.value.version === FORM_VERSION &&
    stored.value.schedule === GAS_SCHEDULE &&
    equalBytes(stored.value.codeDigest, origin.codeDigest) &&
    equalBytes(stored.value.manifestDigest, origin.manifestDigest);
  if (isRight) return stored.value;
  store.refuse(name);
  return null;
}

export function saveForm(store: FormStore, origin: FormOrigin, metered: MeteredModule): void {
  const { codeDigest, manifestDigest } = origin;
  const rules = { version: FORM_VERSION, schedule: GAS_SCHEDULE };
  const stored = { ...metered, ...rules, codeDigest, manifestDigest };
  store.save(formName(origin), encode(storedFormCodec, stored));
}
