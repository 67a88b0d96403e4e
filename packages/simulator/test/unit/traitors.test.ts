import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { strategies } from "../../src/index.ts";

const folder = join(import.meta.dirname, "../../src/traitors");

describe("traitors cannot forge", () => {
  it("nothing that signs without a key is within their reach", () => {
    const files = readdirSync(folder);
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) {
      const text = readFileSync(join(folder, file), "utf8");
      expect(text, file).not.toMatch(/fake-signatures|profile\.ts|signers\b|createFakeSigner/);
    }
  });
});

describe("the library of strategies", () => {
  it("has those of primaries, voters, view changes, noise and sync, each under one name", () => {
    expect(new Set(strategies).size).toBe(strategies.length);
    expect(strategies.length).toBeGreaterThan(30);
  });
});
