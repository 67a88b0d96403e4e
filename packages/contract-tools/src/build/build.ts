import { judgeDeployment, type Manifest, manifestCodec } from "@credlink/contracts-vm";
import { sm3 } from "@credlink/crypto";
import { type Digest, digest, encode, toHex } from "@credlink/primitives";
import { ContractToolsError } from "../errors.ts";
import { parseSources } from "../scan/source/parse.ts";
import type { FileSyntax } from "../scan/source/syntax.ts";
import { compileModule, type SourceReader, withVersion } from "./compile.ts";
import { type ContractProject, isForeign, readModule } from "./project.ts";

/** What one contract's source is turned into. */
export interface BuiltContract {
  readonly name: string;
  readonly version: string;
  /** WebAssembly module, with the version section. */
  readonly code: Uint8Array;
  /** SM3 of the code. */
  readonly codeDigest: Digest;
  /** Canonical bytes. */
  readonly manifest: Uint8Array;
  /** Display form: the manifest, and size and digest of the code. */
  readonly description: string;
  /** Source map of the code, null when it was not asked for or another tool made the module. */
  readonly sourceMap: string | null;
}

/** Name of the constant in which a source says its contract's name and version. */
export const VERSION_CONSTANT = "CONTRACT_VERSION";

/**
 * The name and version that a source states: `const CONTRACT_VERSION: string = "name@1.0.0";` at
 * the top level of its entry file.
 *
 * @throws ContractToolsError TOOLS_VERSION_MISSING
 */
export function sourceVersion(entry: FileSyntax): string {
  const found = entry.variables.find(({ name }) => name === VERSION_CONSTANT);
  if (found?.isConstant !== true || found.initializer?.type !== "text") {
    throw new ContractToolsError(
      "TOOLS_VERSION_MISSING",
      `${entry.path} has no constant text ${VERSION_CONSTANT}`,
    );
  }
  return found.initializer.value;
}

/**
 * Compiles a contract and judges the outcome as a node does at its installation.
 *
 * @throws ContractToolsError TOOLS_COMPILE_FAILED, TOOLS_VERSION_MISSING, TOOLS_VERSION_MISMATCH,
 *   TOOLS_MODULE_REFUSED
 */
export async function buildContract(
  project: ContractProject,
  options: { readonly debug?: boolean } = {},
): Promise<BuiltContract> {
  const { manifest } = project;
  if (isForeign(project)) return finish(readModule(project), manifest, null);
  const { entry } = project.description;
  const { sources } = project;
  return buildSources(sources, entry, manifest, options.debug ?? false);
}

/** `buildContract` of sources that need not lie on a disk. */
export async function buildSources(
  sources: SourceReader,
  entry: string,
  manifest: Manifest,
  debug = false,
): Promise<BuiltContract> {
  const [file] = parseSources(sources, entry).filter(({ path }) => path === entry);
  if (file === undefined) throw new ContractToolsError("TOOLS_VERSION_MISSING", entry);
  const stated = sourceVersion(file);
  const wanted = `${manifest.name}@${manifest.version}`;
  if (stated !== wanted) {
    throw new ContractToolsError(
      "TOOLS_VERSION_MISMATCH",
      `${entry} says ${stated}, contract.json ${wanted}`,
    );
  }
  const { maxMemoryPages } = manifest;
  const { code, sourceMap } = await compileModule(sources, { entry, maxMemoryPages, debug });
  return finish(withVersion(code, stated), manifest, sourceMap);
}

function finish(code: Uint8Array, manifest: Manifest, sourceMap: string | null): BuiltContract {
  const { name, version } = manifest;
  const manifestBytes = encode(manifestCodec, manifest);
  const judged = judgeDeployment({ name, version, code, manifest: manifestBytes });
  if (!judged.ok) {
    throw new ContractToolsError(
      "TOOLS_MODULE_REFUSED",
      `${name}@${version}: ${judged.code}: ${judged.detail}`,
    );
  }
  return {
    name,
    version,
    code,
    codeDigest: digest(sm3(code)),
    manifest: manifestBytes,
    description: describeContract(manifest, code),
    sourceMap,
  };
}

/** Display form of a manifest and its code. */
export function describeContract(manifest: Manifest, code: Uint8Array): string {
  const description = { ...manifest, codeSizeBytes: code.length, codeDigest: toHex(sm3(code)) };
  return `${JSON.stringify(description, null, 2)}\n`;
}
