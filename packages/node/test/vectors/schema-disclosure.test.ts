import { readFileSync } from "node:fs";
import { join } from "node:path";
import { verifyPackage } from "@credlink/client";
import { toHex } from "@credlink/primitives";
import { expect, test } from "vitest";

const read = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(import.meta.dirname, name)));

// Written once by packages/node/tools/golden-schema-disclosure.ts: what was exported then verifies for good.
test("T-4.8.2: the golden disclosure under a registered schema version verifies", async () => {
  const text = new TextDecoder().decode(read("schema-disclosure.jsonl"));
  const lines = text.trimEnd().split("\n");
  const report = await verifyPackage(read("schema-disclosure.genesis.bin"), lines);
  expect(report.digest).toBe("6a4b7cbd0f9df7290992914a2528950c2e60b715696ba905a8def6d19c422cd1");
  expect(toHex(report.genesisDigest)).toBe("f0716884755680f7bfbc52e394331cef21d3f7a1d3c2af5dff00368c20b6f0bb");
  expect(report.schemas.map(({ id, status, height, fieldCount }) => [id, status, height, fieldCount])).toEqual(
    [["bill.insurance/1.1", "active", 10, 6]],
  );
  expect(report.disclosures).toMatchObject([{ path: "remark", value: "复核" }]);
});
