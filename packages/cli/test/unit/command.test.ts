import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  type CredentialFile,
  caseTermsCodec,
  decodeCredentialFile,
  encodeCredentialFile,
  type PayloadSchema,
  payloadSchemas,
  schemaFields,
  schemaOfFields,
} from "@credlink/contracts";
import { addressFromPublicKey, generateKeyPair, isZeroPointSum } from "@credlink/crypto";
import { concatBytes, digest, encode, fromHex, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import {
  buildProgram,
  CliError,
  completeDraft,
  exitCodes,
  findDifferences,
  readCredentialInput,
  runCommand,
} from "../../src/index.ts";

async function run(...args: readonly string[]) {
  let out = "";
  let err = "";
  const code = await runCommand(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

describe("failures", () => {
  it.each([
    [["nothing"]],
    [["network", "create", "--dir", "x"]],
    [["network", "create", "--dir", "x", "--validators", "many"]],
    [["block", "get", "-1"]],
    [["member", "create", "--role", "king"]],
    [["consensus", "evidence", "--height", "first"]],
    [["consensus", "evidence", "--limit", "-1"]],
    [["grant", "create", "--grantee", "cl1"]],
    [["grant", "use", "00".repeat(32), "--action", "read"]],
    [["arbitration", "open", "--about", "00".repeat(32)]],
    [["arbitration", "decide", "00".repeat(32), "--result", "perhaps"]],
    [["arbitration", "set-arbitrators", "--threshold", "most"]],
    [["schema", "register", "bill.tax/1.1"]],
    [["schema", "list", "--type", "bill.none"]],
    [["oracle", "register", "rates", "--publisher", "cl1", "--max-bytes", "many"]],
    [["contract", "set-quota", "credential", "--entries", "-1"]],
    [["credential", "revoke", "00".repeat(32)]],
    [["credential", "submit", ...Array.from({ length: 33 }, () => ["--file", "x.json"]).flat()]],
  ])("%j is a usage error in one line", async (args) => {
    const { code, out, err } = await run(...args);
    expect(code).toBe(exitCodes.usage);
    expect(out).toBe("");
    expect(err).toMatch(/^CLI_USAGE: .+\n$/);
  });

  it("with --json are one document on stdout", async () => {
    const { code, out } = await run("network", "status", "--dir", "/nowhere", "--json");
    expect(code).toBe(exitCodes.refused);
    expect(JSON.parse(out)).toMatchObject({
      error: { code: "CLI_NETWORK_UNKNOWN", remedy: expect.stringMatching(/./) },
    });
  });

  it("are two sentences in one line: what happened, and what cures it", async () => {
    const { err } = await run("network", "status", "--dir", "/nowhere");
    expect(err).toBe(
      "CLI_NETWORK_UNKNOWN: /nowhere holds no network.json. " +
        "Name the folder given to `credlink network create`.\n",
    );
  });

  it("of folders and ports that cannot be are typed, and soon", async () => {
    const create = (...more: string[]) => run("network", "create", "--validators", "4", ...more);
    for (const dir of ["/dev/null/net", "/proc/credlink-net"]) {
      const { code, err } = await create("--dir", dir);
      expect(code).toBe(exitCodes.refused);
      expect(err).toMatch(/^CLI_FILE_UNREADABLE: .+\n$/m);
    }
    for (const port of ["65530", "99999"]) {
      const { code, err } = await create("--dir", "/nowhere/net", "--base-port", port);
      expect(code).toBe(exitCodes.usage);
      expect(err).toMatch(/^CLI_OPTIONS_CONFLICT: ports .+\n$/);
    }
  });

  it("say as whom and where are needed", async () => {
    const { code, err } = await run("credential", "get", "00".repeat(32));
    expect(code).toBe(exitCodes.usage);
    expect(err).toContain("CLI_OPTIONS_CONFLICT");
  });

  it.each([
    [["--height", "3", "--from", "1"]],
    [["--height", "3", "--limit", "1"]],
    [["--limit", "0"]],
    [["--limit", "101"]],
  ])("consensus evidence %j is refused before anybody is asked", async (args) => {
    const { code, out, err } = await run("consensus", "evidence", ...args);
    expect([code, out]).toEqual([exitCodes.usage, ""]);
    expect(err).toMatch(/^CLI_OPTIONS_CONFLICT: --(height|limit) .+\n$/);
  });

  it("of a node out of reach have exit code 5", async () => {
    const folder = mkdtempSync(join(tmpdir(), "credlink-cli-"));
    try {
      const dir = join(folder, "net");
      await run("network", "create", "--dir", dir, "--validators", "1");
      const { code, err } = await run("member", "show", "--network", dir);
      expect(code).toBe(exitCodes.unreachable);
      expect(err).toMatch(/^CLIENT_UNREACHABLE: .+\n$/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("--help is none", async () => {
    const { code, out } = await run("--help");
    expect(code).toBe(exitCodes.done);
    expect(out).toContain("credential");
  });
});

function leaves(command: Command, path: readonly string[] = []): readonly (readonly string[])[] {
  const own = [...path, command.name()];
  if (command.commands.length === 0) return [own];
  return command.commands.flatMap((child) => leaves(child, own));
}

describe("docs/cli.md", () => {
  const text = readFileSync(resolve(import.meta.dirname, "../../../../docs/cli.md"), "utf8");
  const program = buildProgram({
    streams: { out: () => {}, err: () => {} },
    stopSignal: Promise.resolve(),
    run: async () => {},
  });

  it.each(leaves(program).map((path) => path.slice(1).join(" ")))("describes `%s`", (name) => {
    expect(text).toContain(`\`${name}`);
  });

  it("lists every exit code", () => {
    for (const code of Object.values(exitCodes)) expect(text).toContain(`| ${code} |`);
  });

  it("every command that answers takes --json", () => {
    const visit = (command: Command): void => {
      for (const child of command.commands) visit(child);
      if (command.commands.length > 0) return;
      expect(
        command.options.map((option) => option.long),
        command.name(),
      ).toContain("--json");
    };
    visit(program);
  });
});

describe("a credential's draft", () => {
  const issuer = addressFromPublicKey(generateKeyPair().publicKey);
  const draft = {
    type: "risk.alert",
    subjects: [],
    validFrom: "2026-01-01T00:00:00Z",
    payload: {
      ruleId: "night-burst/1",
      severity: "high",
      targets: ["ab".repeat(32)],
      detectedAt: "2026-01-01T00:00:00Z",
    },
  };
  const complete = (input: object, schema?: PayloadSchema) => {
    const read = readCredentialInput(JSON.stringify(input), "draft.json");
    if (read.kind !== "draft") throw new Error("a draft");
    const readParent = (path: string): CredentialFile => {
      const parent = files.get(path);
      if (parent === undefined) throw new Error(`no file ${path}`);
      return parent;
    };
    return completeDraft(read.draft, issuer, undefined, readParent, schema);
  };
  const files = new Map<string, CredentialFile>();

  it("becomes a file that opens its own commitment", () => {
    const file = complete(draft);
    expect(file.payload.detectedAt).toBe(1_767_225_600_000n);
    expect(file.record.level).toBe(payloadSchemas["risk.alert"].level);
    expect(findDifferences(file, file.record)).toEqual([]);
    const again = decodeCredentialFile(encodeCredentialFile(file));
    expect(findDifferences(again, file.record)).toEqual([]);
  });

  it("names a registered schema version, by which its payload is judged and committed to", () => {
    const type = "risk.alert";
    const added = { path: "note", kind: "text of 1 to 8 bytes", isRequired: false, level: 1 };
    const fields = [...schemaFields(payloadSchemas[type].fields), added];
    const schema = schemaOfFields(`${type}/1.1`, type, fields);
    const later = { ...draft, schema: schema.id, payload: { ...draft.payload, note: "x" } };
    const file = complete(later, schema);
    expect([file.record.schema, file.record.commitment.fieldCount]).toEqual([schema.id, 6]);
    expect(findDifferences(file, file.record, schema)).toEqual([]);
    expect(findDifferences(file, file.record)).toHaveLength(1);
    for (const [input, under] of [
      [later, undefined],
      [{ ...later, payload: { ...later.payload, note: "too long a note" } }, schema],
    ] as const) {
      expect(() => complete(input, under)).toThrowError(
        expect.objectContaining({ code: "CLI_CREDENTIAL_INVALID" }),
      );
    }
  });

  it("commits to amounts whose sums with the parents' hold, and needs their files", () => {
    const validFrom = "2026-01-01T00:00:00Z";
    const accept = (fen: number) =>
      complete({
        type: "transaction.acceptance",
        subjects: [],
        validFrom,
        payload: {
          taskIds: ["ab".repeat(32)],
          acceptedAt: validFrom,
          acceptedBy: "A1",
          quantity: 1,
          amount: fen,
        },
      });
    const parents = [accept(60_00), accept(40_00)].map((file, i) => {
      files.set(`${i}.json`, file);
      return { id: toHex(file.record.id), relation: "settles", file: `${i}.json` };
    });
    const settlement = {
      type: "transaction.settlement",
      subjects: [],
      parents,
      validFrom,
      payload: {
        items: parents.map(({ id }, i) => [{ bytes: id }, { integer: i === 0 ? "6000" : "4000" }]),
        gross: 100_00,
        net: 93_00,
        serviceFee: 7_00,
        currency: "CNY",
        period: "2026-01",
        payer: "ab".repeat(32),
        payeeReference: "P1",
      },
    };
    const file = complete(settlement);
    expect(findDifferences(file, file.record)).toEqual([]);
    const above = [...files.values()].flatMap(({ record }) => record.amounts);
    const [gross = new Uint8Array(), ...parts] = file.record.amounts;
    expect(isZeroPointSum(concatBytes(...above, gross), 2)).toBe(true);
    expect(isZeroPointSum(concatBytes(gross, ...parts), 1)).toBe(true);
    const lost = parents.map(({ id, relation }) => ({ id, relation }));
    const mixed = parents.map((parent) => ({ ...parent, file: "0.json" }));
    for (const wrong of [lost, mixed]) {
      expect(() => complete({ ...settlement, parents: wrong })).toThrowError(
        expect.objectContaining({ code: "CLI_CREDENTIAL_INVALID" }),
      );
    }
    const opened = file.openings.map((each) => ({ ...each, value: each.value + 1n }));
    expect(findDifferences({ ...file, openings: opened }, file.record)).toHaveLength(1);
  });

  it("takes the terms of its own type only", () => {
    const evidenceDigest = "ab".repeat(32);
    const terms = { evidenceDigest, holds: true };
    const dispute = {
      type: "arbitration.case",
      subjects: [],
      validFrom: "2026-01-01T00:00:00Z",
      payload: {
        claimant: "P1",
        respondent: "Q1",
        claims: ["x"],
        credentialIds: [evidenceDigest],
        evidencePackageDigest: evidenceDigest,
        filedAt: "2026-01-01T00:00:00Z",
      },
    };
    const { record } = complete({ ...dispute, terms });
    expect(record.terms).toEqual(
      encode(caseTermsCodec, { evidenceDigest: digest(fromHex(evidenceDigest)), holds: true }),
    );
    for (const wrong of [
      { result: "upheld" },
      { grantee: "cl1", purpose: "x", actions: ["read"] },
    ]) {
      expect(() => complete({ ...dispute, terms: wrong })).toThrowError(
        expect.objectContaining({ code: "CLI_CREDENTIAL_INVALID" }),
      );
    }
  });

  it("T-4.6.1-1: draws new salts each time, so that equal payloads differ on chain", () => {
    expect(complete(draft).record.commitment.root).not.toEqual(
      complete(draft).record.commitment.root,
    );
  });

  it("every changed field of a file is found", () => {
    const file = complete(draft);
    for (const path of Object.keys(file.payload)) {
      const payload = { ...file.payload, [path]: "changed" };
      expect(findDifferences({ ...file, payload }, file.record), path).toHaveLength(1);
    }
    const record = { ...file.record, level: 4 };
    expect(findDifferences({ ...file, record }, file.record)).toEqual(["record"]);
  });

  it.each([
    ["a field that is not the schema's", { ...draft, payload: { ...draft.payload, more: 1 } }],
    ["a field of the wrong kind", { ...draft, payload: { ...draft.payload, severity: "so-so" } }],
    ["a missing field", { ...draft, payload: { ruleId: "x" } }],
    ["a subject that is no address", { ...draft, subjects: ["cl1nobody"] }],
  ])("with %s is refused", (_, input) => {
    expect(() => complete(input)).toThrowError(
      expect.objectContaining({ code: "CLI_CREDENTIAL_INVALID" }),
    );
  });

  it("with identifiers needs the index key", () => {
    const identifiers = [{ kind: "mobile-number", identifier: "13800000000" }];
    expect(() => complete({ ...draft, identifiers })).toThrowError(
      expect.objectContaining({ code: "CLI_OPTIONS_CONFLICT" }),
    );
  });

  it.each(["", "{", "[]", '{"type":"none"}', '{"format":"other"}'])("%j is no draft", (text) => {
    expect(() => readCredentialInput(text, "draft.json")).toThrow();
    try {
      readCredentialInput(text, "draft.json");
    } catch (error) {
      expect(error instanceof CliError || String(error).includes("credential file")).toBe(true);
    }
  });
});
