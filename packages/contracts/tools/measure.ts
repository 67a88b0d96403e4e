import { asWhole, openMonth, stagesOf } from "../test/support/month.ts";

/*
 * Prints gas and processor time per credential type, on the real executor over a memory store:
 * `node --conditions=source packages/contracts/tools/measure.ts`.
 */
const ROUNDS = 20;
const WARM_UP = 10;
const MOST_CALLS = 50;

const { chain, month } = await openMonth("measure");
for (const steps of stagesOf(month)) {
  for (const type of new Set(steps.map((step) => step.type))) {
    const some = steps.filter((step) => step.type === type).slice(0, MOST_CALLS);
    const calls = some.map(asWhole);
    await chain.measure(calls, WARM_UP);
    const { microseconds, gas } = await chain.measure(calls, ROUNDS);
    const each = microseconds / (calls.length * ROUNDS);
    console.log(
      `${type.padEnd(24)} ${String(calls.length).padStart(3)} × ` +
        `${each.toFixed(0).padStart(5)} µs ${Math.round(gas / calls.length)} gas`,
    );
  }
  await chain.block(steps.map(asWhole));
}
