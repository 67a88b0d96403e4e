import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { HOST_ABI, isDeployableName, type Manifest } from "@credlink/contracts-vm";
import { memberRoles } from "@credlink/ledger";
import { z } from "zod";
import { ContractToolsError } from "../errors.ts";
import type { SourceReader } from "./compile.ts";

/** Name of the file that makes a folder a contract's project. */
export const PROJECT_FILE = "contract.json";
/** Largest source file that is read, in bytes. */
const MAX_SOURCE_BYTES = 4 * 1024 * 1024;

const role = z.enum([...memberRoles]);

/** What contract.json says: the manifest that is deployed, and how the module is made. */
export const projectSchema = z
  .strictObject({
    $schema: z.string().optional(),
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/)
      .describe("Name of the contract on chain."),
    version: z
      .string()
      .regex(/^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$/)
      .describe("Version, the same as in the source's CONTRACT_VERSION."),
    abi: z.literal(HOST_ABI).default(HOST_ABI).describe("Version of the host interface."),
    maxMemoryPages: z
      .number()
      .int()
      .min(1)
      .max(256)
      .default(16)
      .describe("Most memory that the contract may grow to, in pages of 64 KiB."),
    entry: z
      .string()
      .default("assembly/index.ts")
      .describe("The entry source of AssemblyScript, or a module (.wasm) that another tool made."),
    methods: z
      .array(
        z.strictObject({
          name: z
            .string()
            .regex(/^[a-z][A-Za-z0-9]*$/)
            .max(64)
            .describe("Name of the exported function () -> ()."),
          readOnly: z
            .boolean()
            .default(false)
            .describe("Changes nothing, and may be queried without a transaction."),
          roles: z
            .array(role)
            .max(16)
            .describe("Roles whose members may call it. None: other contracts only."),
        }),
      )
      .min(1)
      .max(128),
    calls: z
      .array(z.string().max(64))
      .max(32)
      .default([])
      .describe("Contracts that it may call, built-in ones included."),
  })
  .describe("A contract of a credlink network: its manifest and how it is built.");

export type ProjectDescription = z.infer<typeof projectSchema>;

/** The JSON schema of contract.json, for editors. */
export function projectJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(projectSchema, { io: "input" }), null, 2)}\n`;
}

/** A contract's project on disk. */
export interface ContractProject {
  readonly dir: string;
  readonly description: ProjectDescription;
  readonly manifest: Manifest;
  readonly sources: SourceReader;
}

/**
 * A project from contract.json's text.
 * @throws ContractToolsError TOOLS_PROJECT_MALFORMED, TOOLS_NAME_INVALID
 */
export function parseProject(text: string): Pick<ContractProject, "description" | "manifest"> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "no JSON";
    throw new ContractToolsError("TOOLS_PROJECT_MALFORMED", `${PROJECT_FILE}: ${reason}`);
  }
  const parsed = projectSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join(".") || "the file";
    throw new ContractToolsError(
      "TOOLS_PROJECT_MALFORMED",
      `${PROJECT_FILE}: ${where}: ${issue?.message}`,
    );
  }
  const { name, version, abi, maxMemoryPages, methods, calls } = parsed.data;
  demandName(name, version);
  const manifest = { name, version, abi, maxMemoryPages, methods, calls };
  return { description: parsed.data, manifest };
}

/** @throws ContractToolsError TOOLS_NAME_INVALID */
export function demandName(name: string, version: string): void {
  if (!isDeployableName(name, version)) {
    throw new ContractToolsError("TOOLS_NAME_INVALID", `${name}@${version}`);
  }
}

/**
 * Reads a project's folder.
 * @throws ContractToolsError TOOLS_PROJECT_UNREADABLE, TOOLS_PROJECT_MALFORMED, TOOLS_NAME_INVALID
 */
export function loadProject(dir: string): ContractProject {
  const path = join(dir, PROJECT_FILE);
  if (!existsSync(path)) throw new ContractToolsError("TOOLS_PROJECT_UNREADABLE", path);
  return { dir, ...parseProject(readFileSync(path, "utf8")), sources: folderReader(dir) };
}

/** Reads files inside a folder, and none outside it. */
export function folderReader(dir: string): SourceReader {
  const root = resolve(dir);
  const inside = (path: string): string | null => {
    const full = resolve(root, path);
    return full === root || full.startsWith(root + sep) ? full : null;
  };
  return {
    read(path) {
      const full = inside(path);
      if (full === null || !existsSync(full)) return null;
      const bytes = readFileSync(full);
      return bytes.length > MAX_SOURCE_BYTES ? null : bytes.toString("utf8");
    },
    list(folder) {
      const full = inside(folder);
      return full !== null && existsSync(full) ? readdirSync(full) : null;
    },
  };
}

/** A module that another tool made. @throws ContractToolsError TOOLS_PROJECT_UNREADABLE */
export function readModule(project: ContractProject): Uint8Array {
  const path = join(project.dir, project.description.entry);
  if (!existsSync(path)) {
    throw new ContractToolsError("TOOLS_PROJECT_UNREADABLE", `${relative(".", path)}: build it`);
  }
  return new Uint8Array(readFileSync(path));
}

/** Whether the project's module comes from another tool than AssemblyScript's compiler. */
export function isForeign(project: Pick<ContractProject, "description">): boolean {
  return project.description.entry.endsWith(".wasm");
}
