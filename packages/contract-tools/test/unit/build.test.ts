import { type Manifest, manifestCodec } from "@credlink/contracts-vm";
import { parseModule } from "@credlink/contracts-vm/inspect";
import { memberRoles } from "@credlink/ledger";
import { decode, digest, fromHex, utf8 } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type BuiltContract,
  buildSources,
  type ContractToolsError,
  decodePackage,
  defaultPolicy,
  encodePackage,
  highOf,
  judgePackage,
  loadRules,
  packageDigest,
  packagedSources,
  packageOf,
  packageProject,
  parseProject,
  projectFiles,
  rebuildPackage,
  scanContract,
  scanDeclaration,
  sdkTexts,
} from "../../src/index.ts";

const entry = "assembly/index.ts";
const manifest: Manifest = {
  name: "echo",
  version: "1.0.0",
  abi: 1,
  maxMemoryPages: 4,
  methods: [{ name: "echo", readOnly: true, roles: ["institution"] }],
  calls: [],
};
const source = `import { answer, input } from "./sdk/index";
const CONTRACT_VERSION: string = "echo@1.0.0";
export function echo(): void { answer(input()); }
`;

function reader(text: string, more: ReadonlyMap<string, string> = new Map()) {
  const files = new Map([...sdkTexts()].map(([name, sdk]) => [`assembly/sdk/${name}`, sdk]));
  for (const [name, content] of more) files.set(name, content);
  files.set(entry, text);
  return { read: (path: string) => files.get(path) ?? null };
}

const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
    return "none";
  } catch (error) {
    return (error as ContractToolsError).code;
  }
};
const messageOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
    return "none";
  } catch (error) {
    return (error as ContractToolsError).message;
  }
};

describe("building", () => {
  let built: BuiltContract;

  beforeAll(async () => {
    built = await buildSources(reader(source), entry, manifest);
  });

  it("makes a module that a node accepts under its manifest", () => {
    expect(decode(manifestCodec, built.manifest)).toEqual(manifest);
    expect([built.name, built.version]).toEqual(["echo", "1.0.0"]);
  });

  it("keeps no second account of its references: there is no collector that would read it", () => {
    // One global says where free memory begins; a pointer into a stack would be another.
    expect(parseModule(built.code).mutableGlobals).toHaveLength(1);
  });

  it("S-9.9-3a: a source without a version, or with one that is no constant text, does not build", async () => {
    const without = source.replace(/const CONTRACT_VERSION.*\n/, "");
    expect(await codeOf(() => buildSources(reader(without), entry, manifest))).toBe(
      "TOOLS_VERSION_MISSING",
    );
    const changing = source.replace("const CONTRACT", "let CONTRACT");
    expect(await codeOf(() => buildSources(reader(changing), entry, manifest))).toBe(
      "TOOLS_VERSION_MISSING",
    );
  });

  it("S-9.9-3b: source and manifest must name the same version", async () => {
    const other = { ...manifest, version: "1.0.1" };
    expect(await codeOf(() => buildSources(reader(source), entry, other))).toBe(
      "TOOLS_VERSION_MISMATCH",
    );
  });

  it("names file, line and column of what does not compile", async () => {
    const wrong = source.replace("answer(input())", "answer(1)");
    const message = await messageOf(() => buildSources(reader(wrong), entry, manifest));
    expect(message).toMatch(/assembly\/index\.ts:3:39: error AS\d+: /);
  });

  it("names an import that leads nowhere", async () => {
    const wrong = source.replace("./sdk/index", "./sdk/missing");
    expect(await codeOf(() => buildSources(reader(wrong), entry, manifest))).toBe(
      "TOOLS_COMPILE_FAILED",
    );
  });

  it("T-6.1-5: refuses what a node refuses", async () => {
    const foreign = `@external("env", "now") declare function now(): i64;\n${source}`.replace(
      "answer(input())",
      "if (now() > 0) answer(input())",
    );
    const message = await messageOf(() => buildSources(reader(foreign), entry, manifest));
    expect(message).toContain("VM_MODULE_IMPORT");
  });

  describe("packages", () => {
    const { description } = parseProject(JSON.stringify({ ...manifest, entry }));
    const packed = () =>
      packageOf({ dir: ".", description, manifest, sources: reader(source) }, built);

    it("carry what the module was compiled from, and are compared with it", async () => {
      const value = decodePackage(encodePackage(packed()));
      expect(value.code).toEqual(built.code);
      expect(packagedSources(value).read(entry)).toBe(source);
      expect(value.files.map(({ path }) => path)).toContain("assembly/sdk/runtime.ts");
      expect(await rebuildPackage(value)).toBe(true);
    });

    it("whose sources are others than the module's are refused", async () => {
      const value = packed();
      const files = value.files.map((file) =>
        file.path === entry
          ? { ...file, content: utf8(source.replace("answer(input())", "input()")) }
          : file,
      );
      expect(await codeOf(() => rebuildPackage({ ...value, files }))).toBe("TOOLS_SOURCE_DIFFERS");
    });

    it("S-9.9-4: are made of a project that scans clean; with high findings only where asked for", async () => {
      const project = { dir: ".", description, manifest, sources: reader(source) };
      const clean = await packageProject(project, { built });
      expect(decodePackage(clean.bytes)).toEqual(packed());
      expect(clean.packageDigest).toEqual(packageDigest(clean.bytes));

      const open: Manifest = {
        ...manifest,
        methods: [{ name: "set", readOnly: false, roles: memberRoles }],
      };
      const writes = `import { emit, input, StateMap } from "./sdk/index";
const CONTRACT_VERSION: string = "echo@1.0.0";
export function set(): void { StateMap.put(new StateMap(1).key(0, 0), input()); emit("set", input()); }
`;
      const bad = { dir: ".", description, manifest: open, sources: reader(writes) };
      const forced = await packageProject(bad, { withFindings: true });
      expect(highOf(forced.report).map(({ ruleId }) => ruleId)).toContain("open-write");
      const refused = () => packageProject(bad, { built: forced.built });
      expect(await codeOf(refused)).toBe("TOOLS_FINDINGS_HIGH");
      expect(await codeOf(() => judgePackage(forced.bytes, async () => false))).toBe(
        "TOOLS_FINDINGS_HIGH",
      );
      const high = highOf(forced.report).length;
      const declared = scanDeclaration(forced.report);
      expect(declared).toMatchObject({ high, ruleSet: digest(fromHex(forced.report.ruleSet)) });
      for (const [isAccepted, how] of [
        [true, "refuse"],
        [false, "declare"],
      ] as const) {
        const judged = await judgePackage(forced.bytes, async () => isAccepted, undefined, how);
        expect(judged.scan).toEqual(declared);
      }
    });

    it("that are altered, cut or too large are refused", async () => {
      const bytes = encodePackage(packed());
      expect(await codeOf(() => decodePackage(bytes.slice(0, -1)))).toBe("TOOLS_PACKAGE_MALFORMED");
      expect(await codeOf(() => decodePackage(bytes.slice(1)))).toBe("TOOLS_PACKAGE_MALFORMED");
      const content = new Uint8Array(1024 * 1024);
      const many = ["a", "b", "c", "d"].map((path) => ({ path, content }));
      expect(await codeOf(() => encodePackage({ ...packed(), files: many }))).toBe(
        "TOOLS_PACKAGE_TOO_LARGE",
      );
      expect(await codeOf(() => decodePackage(new Uint8Array(4 * 1024 * 1024 + 1)))).toBe(
        "TOOLS_PACKAGE_TOO_LARGE",
      );
    });
  });
});

describe("S-9.9-5b: contracts written from a policy", () => {
  const ruleSet = loadRules();
  const policy = defaultPolicy("work-orders");
  const filesOf = (text: string) => projectFiles(text);
  const scan = (text: string) => {
    const files = filesOf(text);
    const { manifest: own } = parseProject(files.get("contract.json") ?? "");
    const sources = { reader: { read: (path: string) => files.get(path) ?? null }, entry };
    return scanContract({ manifest: own, sources, code: null }, ruleSet);
  };

  it("scan clean", () => {
    expect(scan(policy).findings).toEqual([]);
  });

  it.each([
    [
      "other roles",
      /roles: \[enterprise, institution, admin\] }/,
      "roles: [individual] }",
      "create: individual.",
    ],
    ["another party", "allow: [owner] }", "allow: [partner, organization] }", "isPartner"],
    ["a co-signer", "admin] }\n", "admin], signedBy: [partner] }\n", "signers.has(entry.partner)"],
  ])("with %s have other access control, and scan clean", (_, from, to, expected) => {
    const changed = policy.replace(from, to);
    expect(changed).not.toBe(policy);
    const access = filesOf(changed).get("assembly/access.ts") ?? "";
    expect(access).toContain(expected);
    expect(filesOf(policy).get("assembly/access.ts")).not.toContain(expected);
    expect(scan(changed).findings).toEqual([]);
  });

  it("have the policy's roles in their manifest too", () => {
    const changed = policy.replace(
      "roles: [enterprise, institution, admin] }",
      "roles: [auditor] }",
    );
    const { manifest: own } = parseProject(filesOf(changed).get("contract.json") ?? "");
    expect(own.methods[0]).toEqual({ name: "create", readOnly: false, roles: ["auditor"] });
  });

  it("compile with fields of every kind", async () => {
    const rich = policy.replace(
      "  - { name: partner, type: address }",
      "  - { name: partner, type: address }\n  - { name: count, type: u32, max: 9 }\n" +
        "  - { name: isOpen, type: bool }\n  - { name: proof, type: bytes, max: 100 }",
    );
    const files = filesOf(rich);
    const { manifest: own } = parseProject(files.get("contract.json") ?? "");
    const built = await buildSources({ read: (path) => files.get(path) ?? null }, entry, own);
    expect(built.code.length).toBeGreaterThan(1_000);
    expect(scan(rich).findings).toEqual([]);
  });

  it.each([
    ["a role that is none", "roles: [auditors]"],
    ["a co-signer that is no address", "roles: [admin], signedBy: [amount]"],
    ["a party that nobody is", "roles: [admin], allow: [stranger]"],
    ["an owner of what is only made", "roles: [admin], allow: [owner]"],
  ])("with %s are refused", async (_, method) => {
    const wrong = policy.replace(/does: create, [^}]*/, `does: create, ${method} `);
    expect(await codeOf(() => filesOf(wrong))).toBe("TOOLS_PROJECT_MALFORMED");
  });

  it.each(["void", "delete", "i32", "answer", "reader", "sm3", "who", "keyOf", "memory"])(
    "with a method, a field or a record named %s are refused",
    async (name) => {
      for (const [from, to] of [
        ["name: update", `name: ${name}`],
        ["name: title", `name: ${name}`],
        ["record: entry", `record: ${name}`],
      ] as const) {
        const wrong = policy.replace(from, to);
        expect(wrong).not.toBe(policy);
        expect(await codeOf(() => filesOf(wrong))).toBe("TOOLS_PROJECT_MALFORMED");
      }
    },
  );

  it.each(["members", "Work", "9lives", ""])("of the name %j are refused", async (name) => {
    const code = await codeOf(() => filesOf(defaultPolicy(name)));
    expect(["TOOLS_NAME_INVALID", "TOOLS_PROJECT_MALFORMED"]).toContain(code);
  });
});
