import { setTimeout as delay } from "node:timers/promises";
import { MAX_STATE_ENTRIES } from "@credlink/api";
import { type Client, GatewayError } from "@credlink/client";
import { isOutOfReach } from "../block-reader.ts";
import type { Place } from "./items.ts";

/** Pause before a gateway that did not answer is asked again, milliseconds. */
const AGAIN_MS = 500;
/** HTTP status of a gateway that is full, or on its way up or down. */
const UNAVAILABLE = 503;

/** Pauses as the gateway asked for; throws what no patience helps with. */
export async function waitAfter(error: unknown): Promise<void> {
  if (error instanceof GatewayError) {
    const { retryAfterMs, httpStatus } = error.details;
    if (retryAfterMs === undefined && httpStatus !== UNAVAILABLE) throw error;
    return delay(retryAfterMs ?? AGAIN_MS);
  }
  if (!isOutOfReach(error)) throw error;
  return delay(AGAIN_MS);
}

/** Which of the places the chain's head holds something at, proven, in their order. */
export async function askHeld(
  client: Client,
  places: readonly Place[],
): Promise<readonly boolean[]> {
  const held: boolean[] = [];
  while (held.length < places.length) {
    const part = places.slice(held.length, held.length + MAX_STATE_ENTRIES);
    try {
      const { values } = await client.getStates(part);
      held.push(...part.map((_, index) => (values[index]?.value ?? null) !== null));
    } catch (error) {
      await waitAfter(error);
    }
  }
  return held;
}

/**
 * The last chunk that was begun, or −1. Chunks are begun in their order, but for `window` of them:
 * a chunk is not begun before all that lie `window` or more below it are whole. So `isBegun` is true
 * up to some place, false from at most `window` above it, and either in between.
 */
export async function findFrontier(
  chunks: number,
  isBegun: (chunk: number) => Promise<boolean>,
): Promise<number> {
  let [begun, not] = [-1, chunks];
  while (not - begun > 1) {
    const middle = Math.floor((begun + not) / 2);
    if (await isBegun(middle)) begun = middle;
    else not = middle;
  }
  return begun;
}
