/**
 * Puts 10,000 random signatures, half of them spoilt, and every edge case to OpenSSL and to
 * sm-crypto, and prints how often they agree. sm-crypto needs some minutes, so this is a script.
 *
 * node --conditions=source tools/differential.ts [count] [seed]
 */
import { sm2Verify } from "../src/index.ts";
import { edgeCases, randomCases } from "../test/support/cases.ts";
import { describeCase, smCryptoVerify } from "../test/support/oracle.ts";

const count = Number(process.argv[2] ?? 10_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 32);
const result = { seed, compared: 0, good: 0, bad: 0, disagreements: 0, seconds: 0 };
const started = performance.now();
const cases = function* () {
  yield* edgeCases();
  yield* randomCases(seed, count, 16);
};
for (const question of cases()) {
  const answer = sm2Verify(question.publicKey, question.message, question.signature);
  result.compared++;
  if (answer) result.good++;
  else result.bad++;
  if (smCryptoVerify(question) === answer) continue;
  result.disagreements++;
  console.error(`OpenSSL says ${answer}: ${describeCase(question)}`);
}
result.seconds = Math.round((performance.now() - started) / 1000);
console.log(JSON.stringify(result));
process.exitCode = result.disagreements === 0 ? 0 : 1;
