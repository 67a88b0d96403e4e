import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessPage, accessPagePath } from "./access-page.ts";
import { compileCredential, packageFolder } from "./compile.ts";
import { generateRules, rulesPath } from "./generate-rules.ts";

/*
 * Writes the contract's tables and the access page from src/, and compiles the contracts into wasm/, which is checked in: nodes load the same bytes everywhere,
 * and a test compiles them again and compares.
 */
writeFileSync(join(packageFolder, rulesPath), generateRules());
writeFileSync(join(packageFolder, "../..", accessPagePath), accessPage());
const folder = join(packageFolder, "wasm");
const { code, manifest, description } = await compileCredential();
writeFileSync(join(folder, "credential.wasm"), code);
writeFileSync(join(folder, "credential.manifest"), manifest);
writeFileSync(join(folder, "credential.json"), description);
process.stdout.write(description);
