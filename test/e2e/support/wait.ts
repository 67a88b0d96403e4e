import { setTimeout as delay } from "node:timers/promises";

/** Asks until the answer is not undefined or false. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 20_000,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > endMs) {
      throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: last });
    }
    await delay(40);
  }
}
