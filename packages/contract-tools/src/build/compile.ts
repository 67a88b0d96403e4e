import { concatBytes, utf8 } from "@credlink/primitives";
import asc from "assemblyscript/asc";
import { ContractToolsError } from "../errors.ts";
import { describeDiagnostic } from "./diagnostics.ts";

/** Where sources come from, and where compiled files would go: nothing touches the disk itself. */
export interface SourceReader {
  /** Text of a file by its path relative to the project's folder, or null. */
  readonly read: (path: string) => string | null;
  /** Names of the files in a folder, or null. */
  readonly list?: (folder: string) => readonly string[] | null;
}

export interface CompileOptions {
  /** Path of the entry file, relative to the project's folder. */
  readonly entry: string;
  /** Maximum of linear memory, in pages of 64 KiB. */
  readonly maxMemoryPages: number;
  /** Also make a source map and keep functions' names; the code stays the same. Default false. */
  readonly debug?: boolean;
  /** Folder of the SDK, relative to the project's folder. Default `assembly/sdk`. */
  readonly sdk?: string;
}

/** A compiled module, without the version section. */
export interface CompiledModule {
  readonly code: Uint8Array;
  /** Source map of `code`, null unless asked for. */
  readonly sourceMap: string | null;
}

/** Name of the custom section in which the node looks for the contract's name and version. */
const VERSION_SECTION = "credlink.version";
const MODULE_NAME = "module.wasm";
/**
 * For a runtime of one's own the compiler keeps every reference also on a stack in memory, where a
 * collector would look for it: half of a contract's instructions, and there is no collector. 0
 * means its default, and only with a stack above nothing does it keep that. A value that
 * begins with a minus would be taken for an option, hence the space.
 */
const NO_COLLECTOR_STACK = " -1";

/**
 * Compiles one AssemblyScript module to the profile that the node accepts: no start function, no
 * floats, a declared maximum of memory. The same sources give the same bytes on every machine:
 * paths in them are relative to the project's folder.
 *
 * @throws ContractToolsError TOOLS_COMPILE_FAILED with each message's file, line and column.
 */
export async function compileModule(
  source: SourceReader,
  options: CompileOptions,
): Promise<CompiledModule> {
  const { entry, maxMemoryPages, debug = false, sdk = "assembly/sdk" } = options;
  let code: Uint8Array | null = null;
  let sourceMap: string | null = null;
  const messages: string[] = [];
  const { error } = await asc.main(
    [
      entry,
      ...["--baseDir", ".", "--outFile", MODULE_NAME],
      ...["--runtime", `${sdk}/runtime`, "--use", `abort=${sdk}/host/abort`],
      ...["-O3", "--shrinkLevel", "1", "--converge", "--disable", "nontrapping-f2i"],
      ...["--stackSize", NO_COLLECTOR_STACK, "--initialMemory", "1"],
      ...["--maximumMemory", String(maxMemoryPages)],
      ...(debug ? ["--sourceMap"] : []),
    ],
    {
      readFile: (name) => source.read(name.replace(/^\.\//, "")),
      listFiles: (folder) => [...(source.list?.(folder) ?? [])],
      reportDiagnostic: (diagnostic) => messages.push(describeDiagnostic(diagnostic, source.read)),
      writeFile: (name: string, content: string | Uint8Array) => {
        if (typeof content !== "string") code = content;
        else if (name.endsWith(".map")) sourceMap = content;
      },
    },
  );
  if (error !== null || code === null) {
    const what = messages.length > 0 ? messages.join("\n") : (error?.message ?? "no output");
    throw new ContractToolsError("TOOLS_COMPILE_FAILED", `${entry} does not compile\n${what}`);
  }
  return { code, sourceMap };
}

function unsignedLeb128(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** A custom section (WebAssembly Core Specification §5.5.3). */
function customSection(name: string, content: Uint8Array): Uint8Array {
  const nameBytes = utf8(name);
  const body = concatBytes(unsignedLeb128(nameBytes.length), nameBytes, content);
  return concatBytes(Uint8Array.from([0]), unsignedLeb128(body.length), body);
}

/** A module with its contract's name and version (`name@version`) in the node's custom section. */
export function withVersion(code: Uint8Array, nameAndVersion: string): Uint8Array {
  return concatBytes(code, customSection(VERSION_SECTION, utf8(nameAndVersion)));
}
