import { readFileSync } from "node:fs";
import { join } from "node:path";
import { verifyPackage } from "@credlink/client";
import { toHex } from "@credlink/primitives";
import { expect, test } from "vitest";

const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(import.meta.dirname, name)));

// Written once by packages/node/tools/golden-package.ts: what was exported then verifies for good.
test("T-4.4: the golden evidence package verifies, and proves what it proved when it was made", async () => {
  const text = new TextDecoder().decode(read("evidence-package.jsonl"));
  const lines = text.trimEnd().split("\n");
  const report = await verifyPackage(read("evidence-package.genesis.bin"), lines);
  expect(report.digest).toBe("2ba6c2d1fff411f8dee6229953858804e39152f764a6d310bd3ff65eeb78ec07");
  expect(toHex(report.genesisDigest)).toBe("14385e848db3cbbdc383201b5e860d2cacead33409eb35d3a28fd4af98c377cc");
  expect(report.credentials.map(({ stored }) => [stored.record.type, stored.standing.status])).toEqual(
    [["transaction.task","active"],["contract.service","active"],["identity.individual","active"],["identity.institution","active"],["contract.framework","active"],["identity.enterprise","active"]],
  );
  expect(report.disclosures).toMatchObject([{ path: "orderNumber", value: "DD87450445752284" }]);
  expect(report.members).toHaveLength(5);
});
