import { createSm2Kernel } from "../src/kernel/kernel.ts";
import { verifyWithOpenssl } from "../src/node/sm2.ts";
import { isSignatureInRange } from "../src/sm2-curve.ts";
import { randomCases } from "../test/support/cases.ts";
import { type Case, describeCase } from "../test/support/oracle.ts";

/*
 * Compares the kernel with OpenSSL on random signatures, valid and mutated:
 *
 *   node --conditions=source packages/crypto/tools/kernel-differential.ts 1000000 [seed]
 *
 * One by one and in batches, with tables and without. About 0.9 ms a signature, most of it OpenSSL.
 */
const CHUNK = 1_000;
const [count = "10000", seed = "1"] = process.argv.slice(2);
const tabled = createSm2Kernel({ usesBeforeTable: 2 });
const cold = createSm2Kernel({ tableBytes: 0 });

function byOpenssl({ publicKey, message, signature }: Case): boolean {
  return isSignatureInRange(signature) && verifyWithOpenssl(publicKey, message, signature);
}

let good = 0;
for (let done = 0; done < Number(count); done += CHUNK) {
  // New keys each time, so that tables come and go.
  const cases = [...randomCases(Number(seed) + done, CHUNK, 1 + (done % 97))];
  const together = tabled.verifyAll(cases);
  for (const [i, question] of cases.entries()) {
    const { publicKey, message, signature } = question;
    const right = byOpenssl(question);
    const answers = [
      together[i],
      tabled.verify(publicKey, message, signature),
      cold.verify(publicKey, message, signature),
    ];
    if (answers.some((answer) => answer !== right)) {
      throw new Error(`${right} ${answers}: ${describeCase(question)}`);
    }
    if (right) good++;
  }
  if (done % 50_000 === 0) process.stderr.write(`${done + CHUNK}\n`);
}
process.stdout.write(`${count} signatures from seed ${seed}, ${good} good: all answers agree\n`);
