import type { KeyValueStore } from "@credlink/ledger";
import { concatBytes, type Height, height, type Random } from "@credlink/primitives";

/** Chooses what a check looks at: half by chance, half in order, so that all is met in time. */
export interface Sampler {
  /** At most `count` heights up to the head, the head always among them. */
  heights(head: number, count: number): readonly Height[];
  /** At most `count` keys of rows of state. */
  stateRows(count: number): Promise<readonly Uint8Array[]>;
}

/** Bytes that decide where a draw among keys begins. */
const DRAWN_BYTES = 8;
const ZERO = Uint8Array.of(0);

/** Makes the sampler of one store. Where it stands is forgotten with the process. */
export function createSampler(store: KeyValueStore, random: Random): Sampler {
  let nextHeight = 0;
  let nextRow: Uint8Array = new Uint8Array(0);

  const firstFrom = async (from: Uint8Array, limit: number): Promise<readonly Uint8Array[]> =>
    (await store.range("state", { from, limit })).map(([key]) => key);

  /** A row by chance: of a contract by chance, at or after a key by chance, else its first. */
  const draw = async (): Promise<readonly Uint8Array[]> => {
    const lengths = await contractPrefixes();
    const prefix = lengths[random.integer(Math.max(1, lengths.length))] ?? ZERO;
    const found = await firstFrom(concatBytes(prefix, random.bytes(DRAWN_BYTES)), 1);
    return found.length > 0 ? found : firstFrom(prefix, 1);
  };

  /** Beginnings of the keys of each contract: one seek a contract. */
  const contractPrefixes = async (): Promise<readonly Uint8Array[]> => {
    const prefixes: Uint8Array[] = [];
    let from: Uint8Array = new Uint8Array(0);
    for (;;) {
      const [key] = await firstFrom(from, 1);
      if (key === undefined) return prefixes;
      const prefix = key.slice(0, 1 + (key[0] ?? 0));
      prefixes.push(prefix);
      from = after(prefix);
    }
  };

  return {
    heights(head, count) {
      const chosen = new Set<number>([head]);
      const inOrder = Math.min(head + 1, Math.ceil(count / 2));
      for (let i = 0; i < inOrder; i++) {
        if (nextHeight > head) nextHeight = 0;
        chosen.add(nextHeight++);
      }
      for (let i = 0; i < count && chosen.size < count; i++) chosen.add(random.integer(head + 1));
      return [...chosen].map(height);
    },
    async stateRows(count) {
      const inOrder = await firstFrom(nextRow, Math.ceil(count / 2));
      const last = inOrder.at(-1);
      nextRow = last === undefined ? new Uint8Array(0) : concatBytes(last, ZERO);
      const rows = [...inOrder];
      while (rows.length < count) {
        const drawn = await draw();
        if (drawn.length === 0) break;
        rows.push(...drawn);
      }
      return rows;
    },
  };
}

/** The first key behind all that begin with `prefix`, whose bytes are not all 0xff. */
function after(prefix: Uint8Array): Uint8Array {
  const next = prefix.slice();
  for (let at = next.length - 1; at >= 0; at--) {
    const byte = next[at] ?? 0;
    if (byte < 0xff) {
      next[at] = byte + 1;
      return next.slice(0, at + 1);
    }
  }
  return concatBytes(prefix, ZERO);
}
