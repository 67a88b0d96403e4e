/** Writes the golden disclosure under a registered schema version anew: only when its format changes. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportDisclosure } from "@credlink/client";
import { openCredentialGateway } from "../test/support/credential-gateway.ts";
import { issueUnderVersion } from "../test/support/month-desk.ts";

const folder = join(import.meta.dirname, "../test/vectors");
const door = await openCredentialGateway();
const { file } = await issueUnderVersion(door);
const { lines } = await exportDisclosure(door.clientOf("auditor"), { file, paths: ["remark"] });
writeFileSync(join(folder, "schema-disclosure.jsonl"), lines.map((line) => `${line}\n`).join(""));
writeFileSync(join(folder, "schema-disclosure.genesis.bin"), door.genesis);
await door.close();
