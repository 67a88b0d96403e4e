import {
  createPackageVerifier,
  MAX_PACKAGE_BYTES,
  MAX_PACKAGE_CREDENTIALS,
  MAX_PACKAGE_LINE_BYTES,
  MAX_PACKAGE_LINES,
  verifyPackage,
} from "@credlink/client";
import { beforeAll, describe, expect, test } from "vitest";
import { openWideChain, type WideChain } from "../support/wide-package.ts";

let chain: WideChain;
/** Lines of a package of the whole tree that opens no field. */
let least: number;

beforeAll(async () => {
  chain = await openWideChain(MAX_PACKAGE_CREDENTIALS);
  least = chain.lines(0).length;
}, 60_000);

const refusal = (detail: string, line?: number) => ({
  message: expect.stringContaining(detail),
  details: expect.objectContaining({
    code: "CLIENT_PACKAGE_MALFORMED",
    ...(line === undefined ? {} : { line }),
  }),
});

describe("T-4.4: an evidence package of the largest size", () => {
  test("has 1,024 credentials and 8,192 lines, and is verified whole", async () => {
    expect([MAX_PACKAGE_CREDENTIALS, MAX_PACKAGE_LINES]).toEqual([1_024, 8_192]);
    const lines = chain.lines(MAX_PACKAGE_LINES - least);
    expect(lines).toHaveLength(8_192);
    const report = await verifyPackage(chain.genesis, lines);
    expect(report.credentials).toHaveLength(1_024);
    expect(report.disclosures).toHaveLength(MAX_PACKAGE_LINES - least);
  });

  test("is refused with one line more, at that line", async () => {
    const lines = chain.lines(MAX_PACKAGE_LINES - least + 1);
    const verified = verifyPackage(chain.genesis, lines);
    await expect(verified).rejects.toMatchObject(refusal("the package is too large", 8_193));
  });

  test("is refused with one credential more", async () => {
    const verified = verifyPackage(chain.genesis, chain.lines(0, true));
    await expect(verified).rejects.toMatchObject(refusal("too many credentials"));
  });

  test("has 64 MiB with line feeds, whatever becomes of its lines, and no byte more", () => {
    expect(MAX_PACKAGE_BYTES).toBe(64 * 1024 * 1024);
    const verifier = createPackageVerifier(chain.genesis);
    const longest = "x".repeat(MAX_PACKAGE_LINE_BYTES - 1);
    const refusalOf = (text: string): unknown => {
      try {
        verifier.push(text);
        return null;
      } catch (error) {
        return error;
      }
    };
    for (let bytes = 0; bytes < MAX_PACKAGE_BYTES; bytes += MAX_PACKAGE_LINE_BYTES) {
      expect(refusalOf(longest)).toMatchObject(refusal("it is not JSON"));
    }
    expect(refusalOf("")).toMatchObject(refusal("the package is too large"));
  });
});
