import {
  type Client,
  ClientError,
  exportDisclosure,
  exportEvidence,
  exportVerifiableCredential,
  getPayloadSchema,
  getSchema,
  listSchemas,
  verifyPackage,
  verifyVerifiableCredential,
} from "@credlink/client";
import {
  type CredentialFile,
  credentialTypes,
  type SchemaField,
  schemaArgsCodec,
  verifyCredentialFile,
} from "@credlink/contracts";
import { sm3 } from "@credlink/crypto";
import { SUCCESS } from "@credlink/ledger";
import { concatBytes, encode, toHex, utf8 } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GENESIS_MS, memberKeyOf } from "../../../contracts/test/support/consortium.ts";
import { type CredentialGateway, openCredentialGateway } from "../support/credential-gateway.ts";
import { issueUnderVersion } from "../support/month-desk.ts";

const type = "bill.insurance";
const id = `${type}/1.1`;
let door: CredentialGateway;
let client: Client;
/** An insurance under version 1.1, with the field that the version added. */
let file: CredentialFile;
let fields: readonly SchemaField[];

async function regulate(method: string, args: Uint8Array): Promise<void> {
  const receipt = await door.chain.run({ sender: memberKeyOf("regulator"), method, args });
  expect(receipt.status).toBe(SUCCESS);
}

beforeAll(async () => {
  door = await openCredentialGateway();
  client = door.clientOf("institution");
  ({ file, fields } = await issueUnderVersion(door));
});
afterAll(() => door?.close());

const kindOf = (line: string): string => /^\{"kind":"(\w+)"/.exec(line)?.[1] ?? "";

/** Puts the last line right, as a forger would. */
function reseal(lines: readonly string[]): readonly string[] {
  const body = lines.slice(0, -1);
  let sum: Uint8Array = new Uint8Array(32);
  for (const line of body) sum = sm3(concatBytes(sum, utf8(`${line}\n`)));
  return [...body, JSON.stringify({ kind: "end", lines: body.length, digest: toHex(sum) })];
}

async function refusalOf(lines: readonly string[]): Promise<string | null> {
  try {
    await verifyPackage(door.genesis, lines);
    return null;
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
}

describe("T-4.8.2-a: a credential under a registered schema version", () => {
  test("is read under the version that the chain proves", async () => {
    const version = await getSchema(client, id);
    expect(version).toMatchObject({ id, type, status: "active", fields });
    expect(version?.publisher).toEqual(memberKeyOf("regulator").address);
    const found = await getPayloadSchema(client, file.record);
    expect(verifyCredentialFile(file, file.record, found).ok).toBe(true);
    expect(verifyCredentialFile(file, file.record)).toMatchObject({ ok: false });
    expect(await getSchema(client, `${type}/1.2`)).toBeNull();
    await expect(getPayloadSchema(client, { type, schema: `${type}/1.2` })).rejects.toMatchObject({
      code: "CLIENT_SCHEMA_UNKNOWN",
    });
  });

  test("the registry is listed whole, by type", async () => {
    const all = (await listSchemas(client)).map((version) => version.id);
    expect(all).toHaveLength(credentialTypes.length + 1);
    expect((await listSchemas(client, type)).map((version) => version.id)).toEqual([
      `${type}/1.0`,
      id,
    ]);
  });

  test("discloses the field that the version added, offline, with the version's digest", async () => {
    const { lines } = await exportDisclosure(client, { file, paths: ["remark", "premium"] });
    const report = await verifyPackage(door.genesis, lines);
    expect(report.disclosures.map(({ path, value }) => [path, value])).toEqual([
      ["remark", "复核"],
      ["premium", file.payload.premium],
    ]);
    const [version, ...others] = report.schemas;
    expect(others).toEqual([]);
    expect(version?.digest).toEqual((await getSchema(client, id))?.digest);
  });

  test("T-4.4: stands in an evidence package, with the version only where a field is opened", async () => {
    const closed = await exportEvidence(client, file.record.id);
    expect(closed.lines.map(kindOf)).not.toContain("schema");
    const opened = await exportEvidence(client, file.record.id, [{ file, paths: ["remark"] }]);
    const report = await verifyPackage(door.genesis, opened.lines);
    expect(report.schemas.map((each) => each.id)).toEqual([id]);
    expect(report.disclosures).toHaveLength(1);
  });

  test("goes out as a verifiable credential that names the version by the registry's digest", async () => {
    const opening = { file, paths: ["remark"] };
    const made = await exportVerifiableCredential(client, opening, GENESIS_MS);
    const json: unknown = JSON.parse(JSON.stringify(made));
    const { document } = await verifyVerifiableCredential(door.genesis, json, GENESIS_MS);
    expect(document).toMatchObject({
      credentialSubject: { claims: { remark: "复核" } },
      credentialSchema: { id: `urn:credlink:schema:${id}` },
    });
    const other = { ...made, credentialSchema: { id: `urn:credlink:schema:${type}/1.0` } };
    await expect(verifyVerifiableCredential(door.genesis, other, GENESIS_MS)).rejects.toMatchObject(
      { code: "CLIENT_VC_MISMATCH" },
    );
  });

  test("is refused with the version left out, altered, twice, or beside what needs none", async () => {
    const { lines } = await exportDisclosure(client, { file, paths: ["remark"] });
    const at = lines.findIndex((line) => kindOf(line) === "schema");
    const line = lines[at] ?? "";
    const put = (...others: string[]) => refusalOf(reseal(lines.toSpliced(at, 1, ...others)));
    expect(await put()).toBe("CLIENT_PACKAGE_INCOMPLETE");
    expect(await put(line, line)).toBe("CLIENT_PACKAGE_MALFORMED");
    const flip = (name: string): string =>
      line.replace(new RegExp(`("${name}":"[0-9a-f]*?)([0-9a-f])(")`), (_, from, last, end) => {
        return `${from}${last === "0" ? "1" : "0"}${end}`;
      });
    expect(await put(flip("fields"))).toMatch(/^CLIENT_RECORD_ALTERED$/);
    expect(await put(flip("value"))).toMatch(/^CLIENT_PROOF_INVALID$/);
    expect(await put(line.replace(id, `${type}/1.2`))).toBe("CLIENT_PROOF_INVALID");
    expect(await put(line.replace(id, "bill.none/1.1"))).toBe("CLIENT_PROOF_INVALID");
    const plain = await exportEvidence(client, file.record.id);
    const before = plain.lines.findLastIndex((each) => kindOf(each) === "credential") + 1;
    const needless = reseal(plain.lines.toSpliced(before, 0, line));
    const same = lines.find((each) => kindOf(each) === "header");
    const head = plain.lines.find((each) => kindOf(each) === "header");
    expect(same).toBe(head);
    expect(await refusalOf(needless)).toBe("CLIENT_PACKAGE_INCOMPLETE");
  });

  test("keeps verifying once the version is withdrawn, which the package then says", async () => {
    await regulate("withdrawSchema", encode(schemaArgsCodec, { schema: id }));
    const { lines } = await exportDisclosure(client, { file, paths: ["remark"] });
    const { schemas } = await verifyPackage(door.genesis, lines);
    expect(schemas.map(({ status }) => status)).toEqual(["withdrawn"]);
  });
});
