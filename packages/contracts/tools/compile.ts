import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HOST_ABI, type Manifest } from "@credlink/contracts-vm";
import {
  type BuiltContract,
  buildSources,
  type SourceReader,
} from "../../contract-tools/src/index.ts";
import { CREDENTIAL_CONTRACT, CREDENTIAL_CONTRACT_VERSION, methodRules } from "../src/index.ts";

/** The package's folder: compiled modules do not depend on where it lies. */
export const packageFolder: string = fileURLToPath(new URL("..", import.meta.url));

/** Sources of this package. */
const sources: SourceReader = {
  read(path) {
    try {
      return readFileSync(join(packageFolder, path), "utf8");
    } catch {
      return null;
    }
  },
  list: (folder) => readdirSync(join(packageFolder, folder)),
};

/**
 * Compiles one contract of this package.
 * @param entry path of the source, relative to the package's folder.
 * @throws ContractToolsError with the compiler's messages.
 */
export function compileContract(entry: string, manifest: Manifest): Promise<BuiltContract> {
  return buildSources(sources, entry, manifest);
}

/** Who may call what of the credential contract; the contract judges types and parties. */
export const credentialManifest: Manifest = {
  name: CREDENTIAL_CONTRACT,
  version: CREDENTIAL_CONTRACT_VERSION,
  abi: HOST_ABI,
  maxMemoryPages: 16,
  methods: methodRules.map(({ name, readOnly, roles }) => ({ name, readOnly, roles })),
  calls: ["members"],
};

/** The credential contract, compiled from its source. */
export function compileCredential(): Promise<BuiltContract> {
  return compileContract("assembly/credential/index.ts", credentialManifest);
}
