import { type Clock, type Digest, digest, fromHex, refuse, toHex } from "@credlink/primitives";
import type { Engine } from "../engine/types.ts";
import type { ModeKeeper } from "./mode.ts";

/** How often a node that drains looks whether it is done, milliseconds. */
const LOOK_MS = 100;
/** From so many on, those that expired are looked for while nobody drains. */
const LOOK_FROM = 100_000;

/** The engine as clients reach it, and what it took from them that is not finished. */
export interface ClientDoor {
  readonly engine: Engine;
  /** Transactions accepted here that are neither in a block nor expired. */
  readonly open: number;
  stop(): void;
}

/**
 * Stands between clients and engine: refuses new transactions while the node drains or stands by,
 * remembers those it accepted, and tells the mode when all of them are finished.
 */
export function createClientDoor(
  engine: Engine,
  mode: ModeKeeper,
  clock: Clock,
  role: string,
): ClientDoor {
  const open = new Set<string>();
  let lookFrom = LOOK_FROM;
  let cancel = (): void => undefined;

  const forget = (ids: readonly Digest[]): void => {
    if (open.size > 0) for (const id of ids) open.delete(toHex(id));
  };
  /** What expired, or was lost with a stopped engine, is finished too. */
  const look = async (): Promise<void> => {
    for (const id of [...open]) {
      const { status } = await engine.outcome(digest(fromHex(id)));
      if (status !== "pending") open.delete(id);
    }
  };
  const lookAgain = (): void => {
    cancel();
    if (mode.wanted !== "draining") return;
    cancel = clock.schedule(LOOK_MS, () => {
      void look().then(() => {
        mode.setDrained(open.size === 0);
        lookAgain();
      });
    });
  };
  const submit: Engine["submit"] = async (transaction) => {
    // Its pushes would not be heard: a regulator's node reads.
    if (role === "regulator-node") return refuse("NODE_ROLE_READS_ONLY");
    if (mode.wanted === "standby") return refuse("NODE_STANDBY");
    if (mode.wanted === "draining") return refuse("NODE_DRAINING");
    const result = await engine.submit(transaction);
    if (!result.ok) return result;
    open.add(toHex(result.value.id));
    if (open.size >= lookFrom) {
      lookFrom = open.size * 2;
      void look().then(() => {
        lookFrom = Math.max(LOOK_FROM, open.size * 2);
      });
    }
    return result;
  };
  engine.onCommit(({ transactionIds }) => forget(transactionIds));
  mode.onChange(lookAgain);
  lookAgain();
  return {
    engine: {
      start: () => engine.start(),
      stop: () => engine.stop(),
      submit,
      outcome: (id) => engine.outcome(id),
      waitFor: (id, timeoutMs) => engine.waitFor(id, timeoutMs),
      status: () => engine.status(),
      pending: () => engine.pending(),
      holdings: () => engine.holdings(),
      onCommit: (listener) => engine.onCommit(listener),
    },
    get open() {
      return open.size;
    },
    stop: () => cancel(),
  };
}
