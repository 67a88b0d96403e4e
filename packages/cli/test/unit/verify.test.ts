import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runCommand } from "../../src/index.ts";

const golden = resolve(import.meta.dirname, "../../../node/test/vectors");
const genesis = join(golden, "evidence-package.genesis.bin");
const text = readFileSync(join(golden, "evidence-package.jsonl"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "credlink-verify-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Exit code, and the document that `verify FILE --json` prints. */
async function verify(content: string | Uint8Array, ...options: readonly string[]) {
  const file = join(folder, "document");
  writeFileSync(file, content);
  let out = "";
  const streams = {
    out: (piece: string) => {
      out += piece;
    },
    err: () => undefined,
  };
  const trusted = options.length > 0 ? options : ["--genesis", genesis];
  const code = await runCommand(["verify", file, "--json", ...trusted], streams);
  return { code, value: JSON.parse(out) as Record<string, unknown> };
}

describe("T-4.4: verify", () => {
  it("says what a package proves, with the genesis alone", async () => {
    const { code, value } = await verify(text);
    expect(code).toBe(0);
    expect(value).toMatchObject({ purpose: "evidence", chainId: "test-chain", verified: true });
    expect(value.credentials).toHaveLength(6);
  });

  const lines = text.split("\n");
  it.each<[string, string | Uint8Array, string]>([
    ["that is cut off", text.slice(0, -200), "CLIENT_PACKAGE_MALFORMED"],
    ["without its last line", `${lines.slice(0, -2).join("\n")}\n`, "CLIENT_PACKAGE_INCOMPLETE"],
    ["with other line ends", text.replaceAll("\n", "\r\n"), "CLIENT_PACKAGE_MALFORMED"],
    ["with something behind", `${text}{}\n`, "CLIENT_PACKAGE_MALFORMED"],
    ["with a byte order mark", `\ufeff${text}`, "CLI_DOCUMENT_UNKNOWN"],
    ["that is no document", "hello", "CLI_DOCUMENT_UNKNOWN"],
    ["that is another JSON", "{}", "CLIENT_VC_MALFORMED"],
  ])("refuses one %s", async (_, content, expected) => {
    const { code, value } = await verify(content);
    expect([code, value.error]).toEqual([4, expect.objectContaining({ code: expected })]);
  });

  it("refuses a line that is not UTF-8, or longer than any may be", async () => {
    const bytes = new TextEncoder().encode(text);
    bytes[200] = 0xff;
    const broken = await verify(bytes);
    expect([broken.code, broken.value.error]).toEqual([
      4,
      expect.objectContaining({ code: "CLI_DOCUMENT_UNKNOWN" }),
    ]);
    const long = `{"kind":"package"${" ".repeat(2 * 1024 * 1024 + 1)}`;
    expect((await verify(long)).value.error).toMatchObject({ code: "CLI_DOCUMENT_UNKNOWN" });
  });

  it("wants one genesis, of that chain", async () => {
    const both = await verify(text, "--genesis", genesis, "--network", folder);
    expect([both.code, both.value.error]).toEqual([
      2,
      expect.objectContaining({ code: "CLI_OPTIONS_CONFLICT" }),
    ]);
    const other = join(folder, "genesis.bin");
    writeFileSync(other, "none");
    const wrong = await verify(text, "--genesis", other);
    expect([wrong.code, wrong.value.error]).toEqual([
      4,
      expect.objectContaining({ code: "CLIENT_GENESIS_MISMATCH" }),
    ]);
  });
});
