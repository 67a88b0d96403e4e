import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toHex } from "@credlink/primitives";
import { expect, it } from "vitest";
import { accessPage, accessPagePath } from "../../tools/access-page.ts";
import { compileCredential, packageFolder } from "../../tools/compile.ts";
import { generateRules, rulesPath } from "../../tools/generate-rules.ts";

it("the checked-in contract is what its source compiles to; `pnpm contracts:build`", async () => {
  const { code, manifest, description } = await compileCredential();
  const read = (name: string): Buffer => readFileSync(join(packageFolder, "wasm", name));
  expect(toHex(code)).toBe(read("credential.wasm").toString("hex"));
  expect(toHex(manifest)).toBe(read("credential.manifest").toString("hex"));
  expect(description).toBe(read("credential.json").toString("utf8"));
});

it("tables and access page are what the data says; `pnpm contracts:build`", () => {
  const read = (path: string): string => readFileSync(join(packageFolder, path), "utf8");
  expect(generateRules()).toBe(read(rulesPath));
  expect(accessPage()).toBe(read(join("../..", accessPagePath)));
});
