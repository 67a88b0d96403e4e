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
  expect(report.digest).toBe("dd935c227a723fb0e6999cfd95ff6921c9a0fc8d1d66a4bf34d91d3e46ae8e76");
  expect(toHex(report.genesisDigest)).toBe("2a8f0a657cace6a02fc5c6dd8192c2c34c3f9d3b21ef04fc48b8853164eed97f");
  expect(report.schemas.map(({ id, status, height, fieldCount }) => [id, status, height, fieldCount])).toEqual(
    [["bill.insurance/1.1", "active", 10, 6]],
  );
  expect(report.disclosures).toMatchObject([{ path: "remark", value: "复核" }]);
});
