import { type Manifest, manifestCodec } from "@credlink/contracts-vm";
import { sm3 } from "@credlink/crypto";
import {
  bytesUpTo,
  type Codec,
  concatBytes,
  type Digest,
  digest,
  encode,
  list,
  nullable,
  struct,
  text,
  tryDecode,
  utf8,
  utf8ToText,
} from "@credlink/primitives";
import { ContractToolsError } from "../errors.ts";
import { parseSources } from "../scan/source/parse.ts";
import { type BuiltContract, buildSources } from "./build.ts";
import type { SourceReader } from "./compile.ts";
import { type ContractProject, isForeign } from "./project.ts";

/** One source file of a package. */
export interface PackagedFile {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly content: Uint8Array;
}

/** A contract as it goes from its maker to the organisations that approve it: one file. */
export interface ContractPackage {
  readonly name: string;
  readonly version: string;
  /** WebAssembly module, with the version section. */
  readonly code: Uint8Array;
  /** Canonical bytes of the manifest. */
  readonly manifest: Uint8Array;
  /** Path of the entry source, null when another tool made the module. */
  readonly entry: string | null;
  /** Every source that the module was compiled from; none when another tool made it. */
  readonly files: readonly PackagedFile[];
}

/** First bytes of a package. */
const MAGIC = utf8("CLPKG\u0001");
const MAX_FILES = 256;
const MAX_PACKAGE_BYTES = 4 * 1024 * 1024;
const MAX_FILE_BYTES = 1024 * 1024;

const packageCodec: Codec<ContractPackage> = struct({
  name: text(64),
  version: text(32),
  code: bytesUpTo(MAX_FILE_BYTES),
  manifest: bytesUpTo(64 * 1024),
  entry: nullable(text(256)),
  files: list(struct({ path: text(256), content: bytesUpTo(MAX_FILE_BYTES) }), MAX_FILES),
});

/** The package of a built project, its sources included. @throws TOOLS_PACKAGE_TOO_LARGE */
export function packageOf(project: ContractProject, built: BuiltContract): ContractPackage {
  const { name, version, code, manifest } = built;
  if (isForeign(project)) return { name, version, code, manifest, entry: null, files: [] };
  const { entry } = project.description;
  const files = compiledPaths(project.sources, entry).map((path) => {
    const content = utf8(project.sources.read(path) ?? "");
    if (content.length > MAX_FILE_BYTES) {
      throw new ContractToolsError("TOOLS_PACKAGE_TOO_LARGE", path);
    }
    return { path, content };
  });
  if (files.length > MAX_FILES) {
    throw new ContractToolsError("TOOLS_PACKAGE_TOO_LARGE", `${files.length} files`);
  }
  return { name, version, code, manifest, entry, files };
}

/** What the compiler reads: the entry with its imports, and the run time with its own. */
function compiledPaths(sources: SourceReader, entry: string): readonly string[] {
  const roots = [entry, "assembly/sdk/runtime.ts", "assembly/sdk/host.ts"];
  const paths = roots.flatMap((root) => parseSources(sources, root).map(({ path }) => path));
  return [...new Set(paths)].sort();
}

/** @throws ContractToolsError TOOLS_PACKAGE_TOO_LARGE */
export function encodePackage(value: ContractPackage): Uint8Array {
  const bytes = concatBytes(MAGIC, encode(packageCodec, value));
  if (bytes.length > MAX_PACKAGE_BYTES) {
    throw new ContractToolsError("TOOLS_PACKAGE_TOO_LARGE", `${bytes.length} bytes`);
  }
  return bytes;
}

/** Whether bytes begin as a package does. */
export function isPackage(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

/** @throws ContractToolsError TOOLS_PACKAGE_MALFORMED, TOOLS_PACKAGE_TOO_LARGE */
export function decodePackage(bytes: Uint8Array): ContractPackage {
  if (bytes.length > MAX_PACKAGE_BYTES) {
    throw new ContractToolsError("TOOLS_PACKAGE_TOO_LARGE", `${bytes.length} bytes`);
  }
  if (!isPackage(bytes)) throw new ContractToolsError("TOOLS_PACKAGE_MALFORMED", "no package");
  const decoded = tryDecode(packageCodec, bytes.subarray(MAGIC.length), {
    maxBytes: MAX_PACKAGE_BYTES,
  });
  if (!decoded.ok) throw new ContractToolsError("TOOLS_PACKAGE_MALFORMED", decoded.detail ?? "");
  return decoded.value;
}

/** SM3 of the package's bytes: what approvers compare, and what governance names. */
export function packageDigest(bytes: Uint8Array): Digest {
  return digest(sm3(bytes));
}

/** @throws ContractToolsError TOOLS_PACKAGE_MALFORMED */
export function packagedManifest(value: ContractPackage): Manifest {
  return packagedManifestOf(value.manifest);
}

/** A manifest from its canonical bytes. @throws ContractToolsError TOOLS_PACKAGE_MALFORMED */
export function packagedManifestOf(bytes: Uint8Array): Manifest {
  const decoded = tryDecode(manifestCodec, bytes);
  if (!decoded.ok) throw new ContractToolsError("TOOLS_PACKAGE_MALFORMED", "manifest");
  return decoded.value;
}

/** Reads a package's own sources. @throws ContractToolsError TOOLS_PACKAGE_MALFORMED */
export function packagedSources(value: ContractPackage): SourceReader {
  const files = new Map<string, string>();
  for (const { path, content } of value.files) {
    try {
      files.set(path, utf8ToText(content));
    } catch (cause) {
      throw new ContractToolsError("TOOLS_PACKAGE_MALFORMED", `${path} is no text`, { cause });
    }
  }
  return { read: (path) => files.get(path) ?? null };
}

/**
 * Compiles a package's sources again and compares the modules: what an approving organisation does
 * before it believes that the sources it read are those of the code it approves.
 *
 * @returns whether there were sources to compare.
 * @throws ContractToolsError TOOLS_SOURCE_DIFFERS, and what building throws
 */
export async function rebuildPackage(value: ContractPackage): Promise<boolean> {
  if (value.entry === null) return false;
  const { code } = await buildSources(packagedSources(value), value.entry, packagedManifest(value));
  const isSame = code.length === value.code.length && code.every((b, i) => b === value.code[i]);
  if (!isSame) {
    throw new ContractToolsError("TOOLS_SOURCE_DIFFERS", `${value.name}@${value.version}`);
  }
  return true;
}
