import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sm3 } from "@credlink/crypto";
import { type Digest, digest, toHex } from "@credlink/primitives";
import { CREDENTIAL_CONTRACT, CREDENTIAL_CONTRACT_VERSION } from "./credential.ts";
import { ContractsError } from "./errors.ts";

/** Folder of the contract SDK's sources, which contracts are compiled with. */
export const sdkFolder: string = fileURLToPath(new URL("../assembly/sdk", import.meta.url));

/** A contract as it is deployed. */
export interface ContractArtifact {
  readonly name: string;
  readonly version: string;
  /** WebAssembly module. */
  readonly code: Uint8Array;
  /** Canonical bytes of the manifest. */
  readonly manifest: Uint8Array;
  /** SM3 of the code. */
  readonly digest: Digest;
}

function read(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../wasm/${name}`, import.meta.url)));
}

/**
 * The compiled credential contract that is checked in beside this package.
 * @throws ContractsError CONTRACTS_ARTIFACT_CORRUPT when its digest is not the one on record.
 */
export function loadCredentialContract(): ContractArtifact {
  const code = read("credential.wasm");
  const codeDigest = digest(sm3(code));
  const description = new TextDecoder().decode(read("credential.json"));
  if (!description.includes(`"codeDigest": "${toHex(codeDigest)}"`)) {
    throw new ContractsError(
      { code: "CONTRACTS_ARTIFACT_CORRUPT" },
      "credential.wasm does not have the digest of credential.json",
    );
  }
  return {
    name: CREDENTIAL_CONTRACT,
    version: CREDENTIAL_CONTRACT_VERSION,
    code,
    manifest: read("credential.manifest"),
    digest: codeDigest,
  };
}
