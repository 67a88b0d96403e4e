/** Writes the golden evidence package anew: only when its format, or that of records, changes. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportEvidence } from "@credlink/client";
import { keyOf } from "../../contracts/test/support/consortium.ts";
import { addValidator } from "../test/support/add-validator.ts";
import { openCredentialGateway } from "../test/support/credential-gateway.ts";

const folder = join(import.meta.dirname, "../test/vectors");
const joiner = keyOf("second node");
const door = await openCredentialGateway([joiner]);
await addValidator(door.chain, joiner, "second");
const step = door.month.steps.find(({ type, record }) => type === "transaction.task" && record);
if (step?.record == null) throw new Error("the month has tasks");
const { record, payload, salts, openings } = step;
const file = { record, payload, salts, openings };
const client = door.clientOf("regulator");
const { lines } = await exportEvidence(client, record.id, [{ file, paths: ["orderNumber"] }]);
writeFileSync(join(folder, "evidence-package.jsonl"), lines.map((line) => `${line}\n`).join(""));
writeFileSync(join(folder, "evidence-package.genesis.bin"), door.genesis);
await door.close();
