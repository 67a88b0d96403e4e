/** Writes docs/configuration.md from the schema: `node --conditions=source tools/configuration.ts`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeConfiguration } from "../src/config/document.ts";

writeFileSync(join(import.meta.dirname, "../../../docs/configuration.md"), describeConfiguration());
