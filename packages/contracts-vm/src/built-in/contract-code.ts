import { sm3 } from "@credlink/crypto";
import {
  accept,
  concatBytes,
  type Digest,
  digest,
  type Result,
  refuse,
  tryDecode,
} from "@credlink/primitives";
import { HOST_ABI, type Manifest, manifestCodec } from "../manifest.ts";
import type { WasmModule } from "../wasm/module.ts";
import type { ModuleErrorCode } from "../wasm/module-refused.ts";
import { validateModule } from "../wasm/validate-module.ts";
import { CODE_CHUNK_BYTES, MAX_MANIFEST_BYTES, rows } from "./rows.ts";

/** Form of a contract's name and of a version. */
const CONTRACT_NAME = /^[a-z][a-z0-9-]{0,63}$/;
const CONTRACT_VERSION = /^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$/;
const METHOD_NAME = /^[a-z][A-Za-z0-9]*$/;

/** Names that only the node's own contracts bear. */
export const builtInNames: readonly string[] = [
  "members",
  "validators",
  "contracts",
  "parameters",
  "oracles",
  "governance",
];

/** A contract as it is deployed. */
export interface Deployment {
  readonly name: string;
  readonly version: string;
  readonly code: Uint8Array;
  readonly manifest: Uint8Array;
}

/** A deployment that was judged. */
export interface JudgedDeployment {
  readonly manifest: Manifest;
  readonly module: WasmModule;
  readonly codeDigest: Digest;
  readonly manifestDigest: Digest;
}

/** Whether name and version may be installed. */
export function isDeployableName(name: string, version: string): boolean {
  return CONTRACT_NAME.test(name) && CONTRACT_VERSION.test(version) && !builtInNames.includes(name);
}

/** Whether a version is above another, number by number. */
export function isNewer(version: string, other: string): boolean {
  const ours = version.split(".").map(Number);
  const theirs = other.split(".").map(Number);
  for (const [index, number] of ours.entries()) {
    const difference = number - (theirs[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** Whether a deployment may be installed: manifest, code, and that they fit each other. */
export function judgeDeployment(deployment: Deployment): Result<JudgedDeployment, ModuleErrorCode> {
  const { name, version, code } = deployment;
  const manifest = tryDecode(manifestCodec, deployment.manifest, { maxBytes: MAX_MANIFEST_BYTES });
  if (!manifest.ok) return refuse("VM_MODULE_MANIFEST", manifest.detail);
  if (!isGoodManifest(manifest.value, name, version)) return refuse("VM_MODULE_MANIFEST");
  const module = validateModule(code, manifest.value);
  if (!module.ok) return module;
  return accept({
    manifest: manifest.value,
    module: module.value,
    codeDigest: digest(sm3(code)),
    manifestDigest: digest(sm3(deployment.manifest)),
  });
}

function isGoodManifest(manifest: Manifest, name: string, version: string): boolean {
  const methods = manifest.methods.map((method) => method.name);
  return (
    manifest.name === name &&
    manifest.version === version &&
    manifest.abi === HOST_ABI &&
    methods.length > 0 &&
    new Set(methods).size === methods.length &&
    methods.every((method) => METHOD_NAME.test(method) && method !== "memory")
  );
}

/** The pieces in which code is stored. */
export function codeChunks(code: Uint8Array): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < code.length; at += CODE_CHUNK_BYTES) {
    chunks.push(code.slice(at, at + CODE_CHUNK_BYTES));
  }
  return chunks;
}

/** Code from its pieces, or null when one is missing. */
export function joinCode(
  codeDigest: Digest,
  codeBytes: number,
  read: (row: ReturnType<typeof rows.code>) => Uint8Array | null,
): Uint8Array | null {
  const chunks: Uint8Array[] = [];
  for (let index = 0; index * CODE_CHUNK_BYTES < codeBytes; index++) {
    const chunk = read(rows.code(codeDigest, index));
    if (chunk === null) return null;
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}
