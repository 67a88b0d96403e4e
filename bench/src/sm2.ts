import { generateKeyPair, randomBytes, sm2Sign } from "@credlink/crypto";
import {
  createSm2Kernel,
  type Sm2Claim,
  type Sm2Kernel,
} from "../../packages/crypto/src/kernel/kernel.ts";
import { instantiateKernel } from "../../packages/crypto/src/kernel/module.ts";
import { verifyWithOpenssl } from "../../packages/crypto/src/node/sm2.ts";
import type { Sm2Options } from "./options.ts";
import { cpuMs, median, round } from "./statistics.ts";

/** Bytes of a message: a digest and what names its domain. */
const MESSAGE_BYTES = 64;
/** Keys of the batches, each of 64 signatures. */
const BATCH_KEYS = 16;
const BATCH = 64;
/** Verifications of one way in one round. */
const EACH = 512;
const WARM_ROUNDS = 3;

/** What `pnpm bench sm2` reports: medians of rounds that take the ways in turn, by processor time. */
export interface Sm2Report {
  readonly rounds: number;
  readonly messageBytes: number;
  /** Verifications a second of one core, the digest of the message included. */
  readonly opensslPerSecond: number;
  /** Keys with a table, one by one. */
  readonly knownPerSecond: number;
  /** The same in batches of 64 over 16 keys. */
  readonly batchPerSecond: number;
  /** Keys without a table. */
  readonly coldPerSecond: number;
  /** Against OpenSSL, medians of each round's own ratio. */
  readonly ratios: { readonly known: number; readonly batch: number; readonly cold: number };
  /** Building a key's table, milliseconds. */
  readonly tableMs: number;
  /** Opening a kernel: compiling, and the table of G. */
  readonly openMs: number;
}

function sign(keys: number, count: number): readonly Sm2Claim[] {
  const pairs = Array.from({ length: keys }, () => generateKeyPair());
  return Array.from({ length: count }, (_, i) => {
    const { privateKey, publicKey } = pairs[i % keys] ?? generateKeyPair();
    const message = randomBytes(MESSAGE_BYTES);
    return { publicKey, message, signature: sm2Sign(privateKey, message) };
  });
}

function all(answers: readonly boolean[]): void {
  if (answers.includes(false)) throw new Error("a good signature was refused");
}

function inBatches(kernel: Sm2Kernel, claims: readonly Sm2Claim[]): void {
  for (let at = 0; at < claims.length; at += BATCH) {
    all(kernel.verifyAll(claims.slice(at, at + BATCH)));
  }
}

function tableMs(rounds: number): number {
  const wasm = instantiateKernel();
  const table = wasm.heapBase() + 64;
  wasm.memory.grow(Math.ceil((64 + wasm.tableBytes()) / 65_536));
  const sample = Array.from({ length: rounds + WARM_ROUNDS }, () => {
    const point = generateKeyPair().publicKey.subarray(1);
    new Uint8Array(wasm.memory.buffer).set(point, wasm.heapBase());
    wasm.setKey(wasm.heapBase());
    return cpuMs(() => wasm.buildTable(table));
  });
  return median(sample.slice(WARM_ROUNDS));
}

/** Measures OpenSSL and the kernel in turn. */
export function runSm2({ rounds }: Sm2Options): Sm2Report {
  const claims = sign(BATCH_KEYS, EACH);
  const strangers = sign(EACH, EACH);
  const kernel = createSm2Kernel({ usesBeforeTable: 0 });
  const cold = createSm2Kernel({ tableBytes: 0 });
  const one = (verify: Sm2Kernel["verify"], some: readonly Sm2Claim[]) => () =>
    all(some.map(({ publicKey, message, signature }) => verify(publicKey, message, signature)));
  const ways = {
    openssl: one(verifyWithOpenssl, claims),
    known: one((...claim) => kernel.verify(...claim), claims),
    batch: () => inBatches(kernel, claims),
    cold: one((...claim) => cold.verify(...claim), strangers),
  };
  const times: Record<keyof typeof ways, number[]> = {
    openssl: [],
    known: [],
    batch: [],
    cold: [],
  };
  for (let i = 0; i < WARM_ROUNDS + rounds; i++) {
    for (const name of ["openssl", "known", "batch", "cold"] as const) {
      const took = cpuMs(ways[name]);
      if (i >= WARM_ROUNDS) times[name].push(took);
    }
  }
  const perSecond = (name: keyof typeof ways): number =>
    Math.round((EACH * 1_000) / median(times[name]));
  const ratio = (name: keyof typeof ways): number =>
    round(median(times[name].map((took, i) => (times.openssl[i] ?? 0) / took)));
  return {
    rounds,
    messageBytes: MESSAGE_BYTES,
    opensslPerSecond: perSecond("openssl"),
    knownPerSecond: perSecond("known"),
    batchPerSecond: perSecond("batch"),
    coldPerSecond: perSecond("cold"),
    ratios: { known: ratio("known"), batch: ratio("batch"), cold: ratio("cold") },
    tableMs: Math.round(100 * tableMs(rounds)) / 100,
    openMs: round(cpuMs(() => void instantiateKernel())),
  };
}
