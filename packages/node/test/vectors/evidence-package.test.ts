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
  expect(report.digest).toBe("afb2ebd286bc16252e57b9ced37cac6b1f0c596a7274d1326ac758465cc3ab55");
  expect(toHex(report.genesisDigest)).toBe("ea88033977cad555f197f9b05d50ea54a6a822980e8e6a2aa027cddd04caa3a7");
  expect(report.credentials.map(({ stored }) => [stored.record.type, stored.standing.status])).toEqual(
    [["transaction.task","active"],["contract.service","active"],["identity.individual","active"],["identity.institution","active"],["contract.framework","active"],["identity.enterprise","active"]],
  );
  expect(report.disclosures).toMatchObject([{ path: "orderNumber", value: "DD87450445752284" }]);
  expect(report.members).toHaveLength(5);
});
