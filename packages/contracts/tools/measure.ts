import { generateBusinessMonth } from "../../../examples/src/index.ts";
import { TestChain } from "../test/support/chain.ts";
import {
  createGenesis,
  DAY_MS,
  GENESIS_MS,
  keySource,
  memberKeyOf,
} from "../test/support/consortium.ts";

/*
 * Prints gas and processor time per credential type, on the real executor over a memory store:
 * `node --conditions=source packages/contracts/tools/measure.ts`.
 */
const ROUNDS = 20;
const WARM_UP = 10;

const institution = memberKeyOf("institution");
const month = generateBusinessMonth({
  seed: "measure",
  startMs: GENESIS_MS - 32 * DAY_MS,
  institutionAddress: institution.address,
  regulator: memberKeyOf("regulator"),
  createKey: keySource("measure"),
});
const chain = await TestChain.open(await createGenesis());
await chain.register(month.relationKeys.map(({ key, ...rest }) => ({ ...rest, ...key })));

for (const stage of new Set(month.steps.map((step) => step.stage))) {
  const steps = month.steps.filter((step) => step.stage === stage);
  for (const type of new Set(steps.map((step) => step.type))) {
    const some = steps.filter((step) => step.type === type).slice(0, 50);
    const calls = some.map(({ sender, method, args, coSigners }) => ({
      sender: sender ?? institution,
      method,
      args,
      coSigners,
    }));
    await chain.measure(calls, WARM_UP);
    const { microseconds, gas } = await chain.measure(calls, ROUNDS);
    const each = microseconds / (calls.length * ROUNDS);
    console.log(
      `${type.padEnd(24)} ${String(calls.length).padStart(3)} × ` +
        `${each.toFixed(0).padStart(5)} µs ${Math.round(gas / calls.length)} gas`,
    );
  }
  await chain.block(
    steps.map(({ sender, method, args, coSigners }) => ({
      sender: sender ?? institution,
      method,
      args,
      coSigners,
    })),
  );
}
