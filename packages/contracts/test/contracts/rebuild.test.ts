import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toHex } from "@credlink/primitives";
import { expect, it } from "vitest";
import { compileCredential, packageFolder } from "../../tools/compile.ts";

it("the checked-in contract is what its source compiles to; `pnpm contracts:build`", async () => {
  const { code, manifest, description } = await compileCredential();
  const read = (name: string): Buffer => readFileSync(join(packageFolder, "wasm", name));
  expect(toHex(code)).toBe(read("credential.wasm").toString("hex"));
  expect(toHex(manifest)).toBe(read("credential.manifest").toString("hex"));
  expect(description).toBe(read("credential.json").toString("utf8"));
});
