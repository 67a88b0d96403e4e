import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { HOST_ABI } from "@credlink/contracts-vm";
import { PROJECT_FILE, projectJsonSchema } from "../build/project.ts";
import { ContractToolsError } from "../errors.ts";
import { sdkTexts } from "../scan/sdk.ts";
import { type Policy, parsePolicy } from "./policy.ts";
import { accessSource, entrySource, recordSource } from "./sources.ts";
import { kitSource, testSource } from "./tests.ts";

/** Files of a new project, by their path in its folder. */
export function projectFiles(policyText: string): ReadonlyMap<string, string> {
  const policy = parsePolicy(policyText);
  const kebab = policy.record.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
  const files = new Map<string, string>([
    [PROJECT_FILE, manifestText(policy)],
    ["contract.schema.json", projectJsonSchema()],
    ["policy.yaml", policyText],
    ["package.json", packageText(policy)],
    [
      "tsconfig.json",
      '{ "extends": "assemblyscript/std/assembly.json", "include": ["assembly", "test"] }\n',
    ],
    [".gitignore", "build/\nnode_modules/\n"],
    ["assembly/index.ts", entrySource(policy)],
    ["assembly/access.ts", accessSource(policy)],
    [`assembly/${kebab}.ts`, recordSource(policy)],
    [`test/${policy.contract}.test.ts`, testSource(policy)],
    ["test/kit.ts", kitSource],
  ]);
  for (const [name, text] of sdkTexts()) files.set(`assembly/sdk/${name}`, text);
  return files;
}

function manifestText({ contract, version, methods }: Policy): string {
  const description = {
    $schema: "./contract.schema.json",
    name: contract,
    version,
    abi: HOST_ABI,
    maxMemoryPages: 16,
    entry: "assembly/index.ts",
    methods: methods.map(({ name, does, roles }) => ({ name, readOnly: does === "read", roles })),
    calls: [],
  };
  return `${JSON.stringify(description, null, 2)}\n`;
}

/** For editors alone: building needs nothing that is not in the folder. */
function packageText({ contract, version }: Policy): string {
  const description = {
    name: contract,
    version,
    private: true,
    devDependencies: { assemblyscript: "0.28.20" },
  };
  return `${JSON.stringify(description, null, 2)}\n`;
}

/**
 * Makes a contract's project in a new or empty folder.
 * @returns paths of the files, relative to the folder.
 * @throws ContractToolsError TOOLS_PROJECT_EXISTS, TOOLS_PROJECT_MALFORMED, TOOLS_NAME_INVALID
 */
export function createProject(dir: string, policyText: string): readonly string[] {
  if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new ContractToolsError("TOOLS_PROJECT_EXISTS", dir);
  }
  const files = projectFiles(policyText);
  for (const [path, text] of files) {
    const full = join(dir, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }
  return [...files.keys()];
}
