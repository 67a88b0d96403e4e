import { fileURLToPath } from "node:url";
import { HOST_ABI, type Manifest, manifestCodec } from "@credlink/contracts-vm";
import { sm3 } from "@credlink/crypto";
import { concatBytes, encode, toHex, utf8 } from "@credlink/primitives";
import asc from "assemblyscript/asc";

/** The package's folder: compiled modules do not depend on where it lies. */
export const packageFolder: string = fileURLToPath(new URL("..", import.meta.url));

/** What one contract's source is turned into. */
export interface CompiledContract {
  readonly code: Uint8Array;
  /** Canonical bytes. */
  readonly manifest: Uint8Array;
  /** Display form: the manifest, and the SM3 digest of the code. */
  readonly description: string;
}

/** Name of the custom section in which the node looks for the contract's name and version. */
const VERSION_SECTION = "credlink.version";

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

/**
 * Compiles one AssemblyScript module to the profile that the node accepts: no start function, no
 * floats, a declared maximum of memory.
 *
 * @param entry path of the source, relative to the package's folder.
 * @throws Error with the compiler's messages.
 */
export async function compileContract(
  entry: string,
  manifest: Manifest,
): Promise<CompiledContract> {
  let binary: Uint8Array | null = null;
  const { error, stdout, stderr } = await asc.main(
    [
      entry,
      ...["--baseDir", packageFolder, "--outFile", "module.wasm"],
      ...["--runtime", "assembly/sdk/runtime", "--use", "abort=assembly/sdk/host/abort"],
      ...["-O3", "--shrinkLevel", "1", "--converge", "--disable", "nontrapping-f2i"],
      ...["--initialMemory", "1", "--maximumMemory", String(manifest.maxMemoryPages)],
    ],
    {
      writeFile: (_name: string, content: string | Uint8Array) => {
        if (typeof content !== "string") binary = content;
      },
    },
  );
  if (error !== null || binary === null) {
    throw new Error(`${entry} does not compile\n${stdout.toString()}${stderr.toString()}`);
  }
  const version = customSection(VERSION_SECTION, utf8(`${manifest.name}@${manifest.version}`));
  const code = concatBytes(binary, version);
  const description = { ...manifest, codeSizeBytes: code.length, codeDigest: toHex(sm3(code)) };
  return {
    code,
    manifest: encode(manifestCodec, manifest),
    description: `${JSON.stringify(description, null, 2)}\n`,
  };
}

const everybody: Manifest["methods"][number]["roles"] = [
  "validator",
  "observer",
  "regulator-node",
  "enterprise",
  "individual",
  "institution",
  "regulator",
  "auditor",
  "admin",
];

/** Who may call what of the credential contract; the contract judges types and parties. */
export const credentialManifest: Manifest = {
  name: "credential",
  version: "1.0.0",
  abi: HOST_ABI,
  maxMemoryPages: 16,
  methods: [
    { name: "submit", readOnly: false, roles: ["institution", "regulator"] },
    { name: "revoke", readOnly: false, roles: ["institution", "regulator"] },
    { name: "correct", readOnly: false, roles: ["institution"] },
    { name: "get", readOnly: true, roles: everybody },
    { name: "status", readOnly: true, roles: everybody },
    { name: "trace", readOnly: true, roles: everybody },
    { name: "lookup", readOnly: true, roles: ["institution", "regulator"] },
  ],
  calls: ["members"],
};

/** The credential contract, compiled from its source. */
export function compileCredential(): Promise<CompiledContract> {
  return compileContract("assembly/credential/index.ts", credentialManifest);
}
