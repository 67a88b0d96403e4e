import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileCredential, packageFolder } from "./compile.ts";

/*
 * Compiles the contracts into wasm/, which is checked in: nodes load the same bytes everywhere,
 * and a test compiles them again and compares.
 */
const folder = join(packageFolder, "wasm");
const { code, manifest, description } = await compileCredential();
writeFileSync(join(folder, "credential.wasm"), code);
writeFileSync(join(folder, "credential.manifest"), manifest);
writeFileSync(join(folder, "credential.json"), description);
process.stdout.write(description);
