import { hash } from "node:crypto";
import { randomBytes, sm3, sm3OfAll } from "@credlink/crypto";
import type { Sm3Options } from "./options.ts";
import { cpuMs, median, round } from "./statistics.ts";

/** Lengths of the messages, bytes: a node of a tree, two digests, a receipt, a transaction. */
const LENGTHS = [64, 90, 300, 1_700] as const;
/** Messages of a batch, and batches of one way in one round. */
const BATCH = 512;
const BATCHES = 8;
const WARM_ROUNDS = 3;

/** Digests of one length: medians of rounds that take the ways in turn, by processor time. */
export interface Sm3Row {
  readonly messageBytes: number;
  /** Digests a second of one core: `crypto.hash("sm3")`. */
  readonly opensslPerSecond: number;
  /** `sm3`: short messages by plain TypeScript, others by OpenSSL. */
  readonly singlePerSecond: number;
  /** `sm3OfAll`, in batches of 512. */
  readonly batchPerSecond: number;
  /** Against OpenSSL, medians of each round's own ratio. */
  readonly ratios: { readonly single: number; readonly batch: number };
}

/** What `pnpm bench sm3` reports. */
export interface Sm3Report {
  readonly rounds: number;
  readonly rows: readonly Sm3Row[];
}

const ways = ["openssl", "single", "batch"] as const;
type Way = (typeof ways)[number];

function measure(messageBytes: number, rounds: number): Sm3Row {
  const messages = Array.from({ length: BATCH }, () => randomBytes(messageBytes));
  const parts = messages.map((message) => [message]);
  const tasks: Record<Way, () => void> = {
    openssl: () => messages.forEach((message) => void hash("sm3", message, "buffer")),
    single: () => messages.forEach((message) => void sm3(message)),
    batch: () => void sm3OfAll(parts),
  };
  const times: Record<Way, number[]> = { openssl: [], single: [], batch: [] };
  for (let i = 0; i < WARM_ROUNDS + rounds; i++) {
    for (const way of ways) {
      const took = cpuMs(() => {
        for (let batch = 0; batch < BATCHES; batch++) tasks[way]();
      });
      if (i >= WARM_ROUNDS) times[way].push(took);
    }
  }
  const perSecond = (way: Way) => Math.round((BATCH * BATCHES * 1_000) / median(times[way]));
  const ratio = (way: Way) => round(median(times[way].map((t, i) => (times.openssl[i] ?? 0) / t)));
  return {
    messageBytes,
    opensslPerSecond: perSecond("openssl"),
    singlePerSecond: perSecond("single"),
    batchPerSecond: perSecond("batch"),
    ratios: { single: ratio("single"), batch: ratio("batch") },
  };
}

/** Measures OpenSSL, single digests and batches in turn. */
export function runSm3({ rounds }: Sm3Options): Sm3Report {
  return { rounds, rows: LENGTHS.map((length) => measure(length, rounds)) };
}

export function renderSm3({ rows }: Sm3Report): string {
  return rows
    .map(
      ({ messageBytes, opensslPerSecond, singlePerSecond, batchPerSecond, ratios }) =>
        `${String(messageBytes).padStart(5)} bytes  OpenSSL ${opensslPerSecond} a second, ` +
        `one by one ${singlePerSecond} (${ratios.single} times), ` +
        `in batches ${batchPerSecond} (${ratios.batch} times)`,
    )
    .join("\n");
}
