import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { errorsPage, loadReference, metricsPage } from "../tools/reference.ts";

const root = resolve(import.meta.dirname, "..");
const reference = await loadReference();
const codes = [...reference.errors.values()].flatMap((table) => Object.keys(table));

function sourcesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

describe("docs/errors.md", () => {
  it("says what the code says; `pnpm docs:reference` writes it", () => {
    expect(readFileSync(join(root, "docs/errors.md"), "utf8")).toBe(errorsPage(reference));
  });

  it("no code is declared twice", () => {
    expect(codes.filter((code, i) => codes.indexOf(code) !== i)).toEqual([]);
  });

  it("every entry has a meaning and a remedy", () => {
    for (const table of reference.errors.values()) {
      for (const [code, { meaning, remedy }] of Object.entries(table)) {
        expect(code).toMatch(/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/);
        expect(meaning.length, code).toBeGreaterThan(10);
        expect(remedy.length, code).toBeGreaterThan(5);
      }
    }
  });

  it("every declared code is given somewhere in the sources, beyond its table", () => {
    const text = readdirSync(join(root, "packages"))
      .flatMap((name) => [
        ...sourcesOf(join(root, "packages", name, "src")),
        ...(name === "contracts" ? sourcesOf(join(root, "packages/contracts/assembly")) : []),
      ])
      .filter((path) => !/errors(?:-table)?\.ts$/.test(path))
      .map((path) => readFileSync(path, "utf8"))
      .join("\n");
    const words = new Set(text.match(/[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+/g));
    expect(codes.filter((code) => !words.has(code))).toEqual([]);
  });
});

describe("docs/metrics.md", () => {
  const metrics = [...reference.metrics.values()].flat();

  it("says what the code says; `pnpm docs:reference` writes it", () => {
    expect(readFileSync(join(root, "docs/metrics.md"), "utf8")).toBe(metricsPage(reference));
  });

  it("names follow Prometheus' rules", () => {
    for (const { name, kind } of metrics) {
      expect(name).toMatch(/^credlink_[a-z]+(?:_[a-z0-9]+)+$/);
      expect(name.endsWith("_total"), name).toBe(kind === "counter");
    }
    expect(metrics.length).toBeGreaterThan(20);
  });
});
