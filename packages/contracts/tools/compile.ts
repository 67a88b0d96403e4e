import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HOST_ABI, type Manifest } from "@credlink/contracts-vm";
import {
  type BuiltContract,
  buildSources,
  type SourceReader,
} from "../../contract-tools/src/index.ts";

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

const parties: Manifest["methods"][number]["roles"] = ["institution", "enterprise", "individual"];
const issuers: Manifest["methods"][number]["roles"] = [...parties, "regulator", "auditor"];

/** Who may call what of the credential contract; the contract judges types and parties. */
export const credentialManifest: Manifest = {
  name: "credential",
  version: "2.0.0",
  abi: HOST_ABI,
  maxMemoryPages: 16,
  methods: [
    { name: "submit", readOnly: false, roles: issuers },
    { name: "propose", readOnly: false, roles: issuers },
    { name: "sign", readOnly: false, roles: issuers },
    { name: "decline", readOnly: false, roles: parties },
    { name: "withdraw", readOnly: false, roles: issuers },
    { name: "revoke", readOnly: false, roles: [...parties, "regulator"] },
    { name: "correct", readOnly: false, roles: ["institution", "regulator"] },
    { name: "use", readOnly: false, roles: issuers },
    { name: "setArbitrators", readOnly: false, roles: ["regulator"] },
    { name: "get", readOnly: true, roles: everybody },
    { name: "status", readOnly: true, roles: everybody },
    { name: "proposal", readOnly: true, roles: everybody },
    { name: "uses", readOnly: true, roles: everybody },
    { name: "arbitrators", readOnly: true, roles: everybody },
    { name: "trace", readOnly: true, roles: everybody },
    { name: "lookup", readOnly: true, roles: ["institution", "regulator"] },
  ],
  calls: ["members"],
};

/** The credential contract, compiled from its source. */
export function compileCredential(): Promise<BuiltContract> {
  return compileContract("assembly/credential/index.ts", credentialManifest);
}
