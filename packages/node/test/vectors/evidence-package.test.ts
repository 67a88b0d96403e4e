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
  expect(report.digest).toBe("d4a82ebd7804ef62505a16735a590af1e60b93b1c3e68707cf52d1c4aa722676");
  expect(toHex(report.genesisDigest)).toBe("345bf46ca4d950a65a6c0ac9a1aaa16f34ca93ce8d17fb52bf7c5fca8c19f4a4");
  expect(report.credentials.map(({ stored }) => [stored.record.type, stored.standing.status])).toEqual(
    [["transaction.task","active"],["contract.service","active"],["identity.individual","active"],["identity.institution","active"],["contract.framework","active"],["identity.enterprise","active"]],
  );
  expect(report.disclosures).toMatchObject([{ path: "orderNumber", value: "DD87450445752284" }]);
  expect(report.members).toHaveLength(5);
});
