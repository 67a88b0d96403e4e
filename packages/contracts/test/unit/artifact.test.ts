import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { manifestCodec, validateModule } from "@credlink/contracts-vm";
import { decode, toHex } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  credentialErrors,
  credentialRelations,
  credentialTypes,
  loadCredentialContract,
} from "../../src/index.ts";
import { credentialManifest, packageFolder } from "../../tools/compile.ts";

function sourceOf(folder: string): string {
  const path = join(packageFolder, "assembly", folder);
  return readdirSync(path)
    .map((name) => readFileSync(join(path, name), "utf8"))
    .join("\n");
}

describe("the compiled credential contract", () => {
  it("is loaded with its manifest and digest", () => {
    const { name, version, manifest, digest, code } = loadCredentialContract();
    expect(decode(manifestCodec, manifest)).toEqual(credentialManifest);
    expect([name, version]).toEqual([credentialManifest.name, credentialManifest.version]);
    const description = JSON.parse(
      readFileSync(join(packageFolder, "wasm/credential.json"), "utf8"),
    ) as { codeDigest: string; codeSizeBytes: number };
    expect(toHex(digest)).toBe(description.codeDigest);
    expect(code.length).toBe(description.codeSizeBytes);
  });

  it("S-9.9-4a: is a module that the node accepts under its manifest", () => {
    const { code, manifest } = loadCredentialContract();
    const judged = validateModule(code, decode(manifestCodec, manifest));
    expect(judged.ok ? "" : judged.code).toBe("");
    const stranger = { ...credentialManifest, version: "1.0.1" };
    expect(validateModule(code, stranger).ok).toBe(false);
  });
});

describe("contract and table", () => {
  const source = sourceOf("credential") + sourceOf("sdk");

  it("every code of the source is in the table, and the other way round", () => {
    const given = new Set(source.match(/"(?:CREDENTIAL|CONTRACT)_[A-Z_]+"/g));
    const declared = Object.keys(credentialErrors).map((code) => `"${code}"`);
    expect([...given].sort()).toEqual(declared.sort());
  });

  it("types and relations have the same names in the same order", () => {
    const names = (name: string): readonly string[] => {
      const body = new RegExp(`function ${name}\\([\\s\\S]*?\\n}`).exec(source)?.[0] ?? "";
      return [...body.matchAll(/return "([^"]+)";/g)].map((match) => match[1] ?? "");
    };
    expect(names("typeName")).toEqual(credentialTypes);
    expect(names("relationName")).toEqual(credentialRelations);
  });
});
