import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

/** House rules, each with what to do instead. */

const root = resolve(import.meta.dirname, "..");

/** Which workspace packages the sources of a package may import. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  primitives: [],
  crypto: ["primitives"],
  keys: ["primitives", "crypto"],
  "consensus-pbft": ["primitives", "crypto"],
  ledger: ["primitives", "crypto", "consensus-pbft"],
  "contracts-vm": ["primitives", "crypto", "consensus-pbft", "ledger"],
  contracts: ["primitives", "crypto"],
  api: ["primitives", "ledger"],
  client: ["primitives", "crypto", "consensus-pbft", "ledger", "api", "contracts", "contracts-vm"],
  node: [
    "primitives",
    "crypto",
    "keys",
    "consensus-pbft",
    "ledger",
    "contracts-vm",
    "contracts",
    "api",
    "client",
  ],
  ca: ["primitives", "crypto", "api", "client", "node"],
  "contract-tools": ["primitives", "crypto", "ledger", "contracts-vm", "contracts"],
  cli: [
    "primitives",
    "crypto",
    "keys",
    "consensus-pbft",
    "ledger",
    "contracts-vm",
    "contracts",
    "api",
    "client",
    "node",
    "ca",
    "contract-tools",
  ],
  testkit: ["primitives", "crypto"],
  simulator: [
    "primitives",
    "crypto",
    "consensus-pbft",
    "ledger",
    "contracts-vm",
    "contracts",
    "node",
    "testkit",
  ],
};

/** Packages, or parts of one, that run in a browser and in the simulator. */
const pure = [
  "packages/primitives/src",
  "packages/consensus-pbft/src",
  "packages/ledger/src",
  "packages/contracts-vm/src",
  "packages/api/src",
  "packages/node/src/engine",
];

/** What pure code must not reach for, and what serves instead. */
const bannedInPure: readonly (readonly [RegExp, string])[] = [
  [/from "node:/, "an interface of primitives (Clock, Random, Disk, Network, KeyValueStore)"],
  [/\bDate\b(?=[.(])|new Date\b/, "Clock.nowMs"],
  [/\bMath\.random\b/, "Random"],
  [/\b(?:setTimeout|setInterval|setImmediate)\b/, "Clock.schedule"],
  [/\bprocess\.(?!env\b)\w/, "an option handed in"],
  [/\bBuffer\b/, "Uint8Array"],
  [/\bperformance\./, "Clock.monotonicMs"],
  [/\btoLocale\w+\(|\bIntl\./, "an order or format that no locale changes"],
];

/** Bans that hold for all sources. */
const bannedEverywhere: readonly (readonly [RegExp, string])[] = [
  [/\bexport default\b/, "a named export"],
  [/:\s*any\b|\bas any\b|<any>/, "unknown and a decoder"],
  [/@ts-(?:ignore|nocheck)/, "code that type-checks"],
  [/^\s*(?:const )?enum\s/m, "a union of literals"],
];

/** Files that still import each other, by types alone; none may be added. */
const knownCircles: readonly string[] = [
  "packages/client/src/client.ts",
  "packages/client/src/validators.ts",
  "packages/ledger/src/evidence.ts",
  "packages/ledger/src/executor.ts",
];

/** Longest source file; a longer one has a second idea in it. */
const MAX_FILE_LINES = 500;

function walk(folder: string, keep: (path: string) => boolean): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (["node_modules", "dist", ".git", "vectors"].includes(entry.name)) return [];
    if (entry.isDirectory()) return walk(path, keep);
    return keep(path) ? [path] : [];
  });
}

const isTypeScript = (path: string): boolean =>
  path.endsWith(".ts") && !path.includes("/assembly/");
const packages = Object.keys(mayImport);
const sources = packages.flatMap((name) => walk(join(root, "packages", name, "src"), isTypeScript));
const short = (path: string): string => relative(root, path);

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "");
}

function namedImports(text: string): string[] {
  const found = withoutComments(text).matchAll(/\b(?:from|import)\s*\(?\s*"([^"\s]+)"/g);
  return [...found].map((m) => m[1] as string);
}

function imports(text: string): string[] {
  const code = withoutComments(text);
  // A worker's file is named by URL; its extension may be that of the file at hand.
  const workers = [...code.matchAll(/new URL\(\s*[`"](\.[\w./-]+)\.(?:ts|\$\{\w+\})[`"]/g)].map(
    (m) => `${m[1] as string}.ts`,
  );
  return [...namedImports(text), ...workers];
}

describe("dependency directions", () => {
  it.each(packages)("%s imports only what stands below it", (name) => {
    const wrong: string[] = [];
    for (const path of walk(join(root, "packages", name, "src"), isTypeScript)) {
      for (const target of imports(readFileSync(path, "utf8"))) {
        const match = /^@credlink\/([^/]+)/.exec(target);
        const other = match?.[1];
        if (other !== undefined && other !== name && !mayImport[name]?.includes(other)) {
          wrong.push(`${short(path)} imports ${target}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("no file imports itself by way of others: a type both need stands below both", () => {
    const left = new Map(
      sources.map((path) => {
        const names = namedImports(readFileSync(path, "utf8"));
        return [path, names.map((name) => resolve(dirname(path), name))] as const;
      }),
    );
    // What imports nothing that is left, or is imported by nothing left, is in no circle.
    for (let before = -1; before !== left.size; ) {
      before = left.size;
      const imported = new Set([...left.values()].flat());
      for (const [path, targets] of left) {
        if (!imported.has(path) || !targets.some((target) => left.has(target))) left.delete(path);
      }
    }
    expect([...left.keys()].map(short).sort()).toEqual(knownCircles);
  });

  it("the simulator and the client reach only the doors made for them", () => {
    const wrong: string[] = [];
    for (const [name, target, doors] of [
      ["simulator", "@credlink/node", ["@credlink/node/engine"]],
      ["client", "@credlink/consensus-pbft", ["@credlink/consensus-pbft/certificates"]],
      ["client", "@credlink/contracts-vm", ["@credlink/contracts-vm/formats"]],
    ] as const) {
      for (const path of walk(join(root, "packages", name, "src"), isTypeScript)) {
        for (const found of imports(readFileSync(path, "utf8"))) {
          if (found.startsWith(target) && !(doors as readonly string[]).includes(found)) {
            wrong.push(`${short(path)} imports ${found}; use ${doors.join(" or ")}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("nobody but the simulator can replace the digest, share readings or cut from slabs", () => {
    const doors = ["crypto", "primitives"].map((name) => `@credlink/${name}/simulation`);
    const wrong = sources
      .filter((path) => !short(path).startsWith("packages/simulator/"))
      .flatMap((path) =>
        imports(readFileSync(path, "utf8"))
          .filter((found) => doors.includes(found))
          .map((found) => `${short(path)} imports ${found}, which is for simulations alone`),
      );
    const calls = sources
      .filter((path) => !short(path).startsWith("packages/simulator/"))
      .filter((path) =>
        /\b(replaceDigest|shareReadings|cutFromSlabs)\(/.test(
          withoutComments(readFileSync(path, "utf8")),
        ),
      )
      .map(short)
      .sort();
    expect(wrong).toEqual([]);
    expect(calls).toEqual([
      "packages/crypto/src/digest-replacement.ts",
      "packages/primitives/src/allocation.ts",
      "packages/primitives/src/shared-reading.ts",
    ]);
  });

  it("package.json names exactly the workspace packages that the sources import", () => {
    const wrong: string[] = [];
    for (const name of packages) {
      const folder = join(root, "packages", name);
      const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
        dependencies?: Record<string, string>;
      };
      const declared = Object.keys(manifest.dependencies ?? {});
      const used = new Set(
        walk(join(folder, "src"), isTypeScript)
          .flatMap((path) => imports(readFileSync(path, "utf8")))
          .filter((target) => !target.startsWith(".") && !target.startsWith("node:"))
          .map((target) =>
            target
              .split("/")
              .slice(0, target.startsWith("@") ? 2 : 1)
              .join("/"),
          )
          .filter((target) => target !== `@credlink/${name}`),
      );
      for (const dependency of declared) {
        if (!used.has(dependency)) wrong.push(`${name} declares ${dependency} and does not use it`);
      }
      for (const dependency of used) {
        if (!declared.includes(dependency)) wrong.push(`${name} uses ${dependency} undeclared`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("sources", () => {
  it("pure code reaches for nothing of the machine", () => {
    const wrong: string[] = [];
    for (const path of pure.flatMap((folder) => walk(join(root, folder), isTypeScript))) {
      const code = withoutComments(readFileSync(path, "utf8"));
      for (const [pattern, instead] of bannedInPure) {
        const found = pattern.exec(code);
        if (found) wrong.push(`${short(path)}: ${found[0]}; use ${instead}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("no source uses what the house does without", () => {
    const wrong: string[] = [];
    for (const path of sources) {
      const text = withoutComments(readFileSync(path, "utf8"));
      for (const [pattern, instead] of bannedEverywhere) {
        const found = pattern.exec(text);
        if (found) wrong.push(`${short(path)}: ${found[0].trim()}; use ${instead}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("no comment puts work off", () => {
    const open = sources.filter((path) =>
      /\b(?:TODO|FIXME|XXX)\b/.test(readFileSync(path, "utf8")),
    );
    expect(open.map(short)).toEqual([]);
  });

  it(`no file is longer than ${MAX_FILE_LINES} lines`, () => {
    const long = sources
      .map((path) => [short(path), readFileSync(path, "utf8").split("\n").length] as const)
      .filter(([, lines]) => lines > MAX_FILE_LINES);
    expect(long).toEqual([]);
  });

  it("file names are kebab-case", () => {
    const names = sources.map((path) => path.slice(path.lastIndexOf("/") + 1));
    expect(names.filter((name) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.d)?\.ts$/.test(name))).toEqual(
      [],
    );
  });

  it("no file is dead: each is reached from an entry of its package", () => {
    const dead: string[] = [];
    const workspace = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const scripts = Object.values(workspace.scripts).join("\n");
    for (const name of packages) {
      const folder = join(root, "packages", name);
      const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
        exports: Record<string, unknown>;
        bin?: Record<string, string>;
      };
      const entries = JSON.stringify(manifest.exports).match(/\.\/src\/[^"]+\.ts/g) ?? [];
      // What a command of the workspace starts is an entry too.
      const commands = [...scripts.matchAll(/packages\/([^/]+)\/(src\/[\w./-]+\.ts)/g)]
        .filter(([, owner]) => owner === name)
        .map(([, , path]) => `./${path}`);
      const open = [...entries, "./src/main.ts", ...commands]
        .map((entry) => resolve(folder, entry))
        .filter((path) => existsSync(path));
      const reached = new Set(open);
      for (let path = open.pop(); path !== undefined; path = open.pop()) {
        for (const target of imports(readFileSync(path, "utf8"))) {
          if (!target.startsWith(".")) continue;
          const next = resolve(dirname(path), target);
          if (reached.has(next) || !existsSync(next)) continue;
          reached.add(next);
          open.push(next);
        }
      }
      dead.push(
        ...walk(join(folder, "src"), isTypeScript)
          .filter((path) => !reached.has(path))
          .map(short),
      );
    }
    expect(dead).toEqual([]);
  });
});

describe("the project stands alone", () => {
  const files = walk(root, (path) =>
    /\.(?:ts|md|json|ya?ml|sh|html)$|Dockerfile$|\.ci\/run$/.test(path),
  ).filter((path) => !path.endsWith("pnpm-lock.yaml") && path !== import.meta.filename);

  it("names no path of one machine, no registry host and no file that is not its own", () => {
    const foreign = /\/work\/|\.\.\/shared\b|registry\.npm|design\.md|consensus\.md \d|farm-\w+/;
    const wrong = files
      .filter((path) => !path.includes("docs/protocol/consensus.md"))
      .map((path) => [short(path), foreign.exec(readFileSync(path, "utf8"))?.[0]] as const)
      .filter(([, found]) => found !== undefined);
    expect(wrong).toEqual([]);
  });

  it("every relative link in a document leads to a file", () => {
    const broken: string[] = [];
    for (const path of files.filter((file) => file.endsWith(".md"))) {
      const text = readFileSync(path, "utf8").replaceAll(/```[\s\S]*?```/g, "");
      for (const match of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        const target = match[1] as string;
        if (/^[a-z]+:/.test(target)) continue;
        if (!existsSync(resolve(dirname(path), target))) broken.push(`${short(path)} -> ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });
});

describe("documents", () => {
  it.each(packages)(
    "%s has a README with its purpose, its border, an example and limits",
    (name) => {
      const path = join(root, "packages", name, "README.md");
      expect(existsSync(path)).toBe(true);
      const text = readFileSync(path, "utf8");
      for (const heading of [/^# /m, /owns/i, /```/, /limits/i]) expect(text).toMatch(heading);
    },
  );

  it.each(["README.md", "README.zh-CN.md", "CHANGELOG.md", "docs/architecture.md"])(
    "%s",
    (file) => {
      expect(existsSync(join(root, file))).toBe(true);
    },
  );

  it("decisions are numbered without a gap and say what a decision must say", () => {
    const names = readdirSync(join(root, "docs/adr"))
      .filter((name) => /^\d{4}-/.test(name))
      .sort();
    expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, i) => i + 1));
    for (const name of names) {
      const text = readFileSync(join(root, "docs/adr", name), "utf8");
      for (const heading of ["Status", "Context", "Decision", "Consequences"]) {
        expect(text, name).toMatch(new RegExp(`^## ${heading}$`, "m"));
      }
    }
  });
});
