import { taggedSm3 } from "@credlink/crypto";
import { SUCCESS } from "@credlink/ledger";
import { concatBytes, decode, encode } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { insuranceDraft } from "../../../../examples/src/month/index.ts";
import {
  credentialTypes,
  MAX_SCHEMA_BYTES,
  payloadSchemas,
  registerSchemaArgsCodec,
  SCHEMA_TOPIC,
  type SchemaField,
  schemaArgsCodec,
  schemaDigest,
  schemaEventCodec,
  schemaFields,
  schemaFieldsCodec,
  schemaVersionCodec,
} from "../../src/index.ts";
import { missingCodes } from "../support/codes.ts";
import { memberKeyOf } from "../support/consortium.ts";
import { Desk, institution, makeMonth, regulator } from "../support/desk.ts";

const builtIn = schemaFields(payloadSchemas["bill.insurance"].fields);
const claimant: SchemaField = { path: "claimPhone", kind: "text", isRequired: false, level: 4 };
const remark: SchemaField = { path: "remark", kind: "text", isRequired: false, level: 1 };

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.open(makeMonth("schemas"));
});

async function register(schema: string, fields: readonly SchemaField[], sender = regulator) {
  const args = encode(registerSchemaArgsCodec, { schema, fields });
  return desk.run("registerSchema", args, { sender });
}

async function withdraw(schema: string, sender = regulator): Promise<string> {
  return (await desk.run("withdrawSchema", encode(schemaArgsCodec, { schema }), { sender })).status;
}

async function read(schema: string) {
  const args = encode(schemaArgsCodec, { schema });
  const { status, returnValue } = await desk.chain.query("schema", args, memberKeyOf("auditor"));
  return status === SUCCESS ? decode(schemaVersionCodec, returnValue) : status;
}

async function insure(schema: string, fieldCount: number, level = 3): Promise<string> {
  const draft = insuranceDraft(desk.context, desk.work(0).worker);
  const { status } = await desk.submit(draft, {
    change: (record) => ({
      ...record,
      schema,
      level,
      commitment: { ...record.commitment, fieldCount },
    }),
  });
  return status;
}

describe("the schema registry", () => {
  it("holds version 1.0 of every type as the package has it", async () => {
    for (const type of credentialTypes) {
      const { id, fields } = payloadSchemas[type];
      expect(await read(id)).toEqual({
        status: "active",
        publisher: null,
        height: null,
        digest: schemaDigest(fields),
        fields: schemaFields(fields),
      });
    }
    expect(await read("bill.insurance/1.1")).toBe("CREDENTIAL_SCHEMA_VERSION");
    for (const name of [
      "bill.insurance",
      "bill.insurance/2.0",
      "bill.insurance/1.00",
      "bill/1.0",
    ]) {
      expect(await read(name)).toBe("CREDENTIAL_SCHEMA_VERSION");
    }
  });

  it("takes a version that adds optional fields, and records that name it", async () => {
    expect(await insure("bill.insurance/1.1", 6)).toBe("CREDENTIAL_SCHEMA_VERSION");
    const fields = [...builtIn, remark];
    const receipt = await register("bill.insurance/1.1", fields);
    expect(receipt.status).toBe(SUCCESS);
    const digest = taggedSm3("credlink/schema/1", encode(schemaFieldsCodec, fields));
    const [event] = receipt.events;
    expect(event?.topic).toBe(SCHEMA_TOPIC);
    expect(decode(schemaEventCodec, event?.data ?? new Uint8Array())).toEqual({
      schema: "bill.insurance/1.1",
      status: "active",
      by: regulator.address,
      digest,
    });
    expect(await read("bill.insurance/1.1")).toMatchObject({
      status: "active",
      publisher: regulator.address,
      digest,
      fields,
    });
    expect(await insure("bill.insurance/1.1", 6)).toBe(SUCCESS);
    expect(await insure("bill.insurance/1.1", 5)).toBe("CREDENTIAL_FIELD_COUNT");
    expect(await insure("bill.insurance/1.0", 5)).toBe(SUCCESS);
    expect(await insure("bill.insurance/1.0", 6)).toBe("CREDENTIAL_FIELD_COUNT");
    expect(await insure("bill.tax/1.0", 9)).toBe("CREDENTIAL_SCHEMA_VERSION");
  });

  it("goes on from there, and the highest level of the fields is the record's", async () => {
    const second = await register("bill.insurance/1.2", [...builtIn, remark, claimant]);
    expect(second.status).toBe(SUCCESS);
    expect(await insure("bill.insurance/1.2", 7, 3)).toBe("CREDENTIAL_LEVEL");
    expect(await insure("bill.insurance/1.2", 7, 4)).toBe(SUCCESS);
  });

  it("withdraws a version: no new record names it, the next one builds on it still", async () => {
    expect(await withdraw("bill.insurance/1.1", institution)).toBe("VM_ACCESS_DENIED");
    expect(await withdraw("bill.insurance/1.9")).toBe("CREDENTIAL_SCHEMA_VERSION");
    expect(await withdraw("bill.insurance/1.0")).toBe("CREDENTIAL_SCHEMA_VERSION");
    expect(await withdraw("bill.insurance/1.1")).toBe(SUCCESS);
    expect(await withdraw("bill.insurance/1.1")).toBe("CREDENTIAL_SCHEMA_WITHDRAWN");
    expect(await insure("bill.insurance/1.1", 6)).toBe("CREDENTIAL_SCHEMA_WITHDRAWN");
    expect(await read("bill.insurance/1.1")).toMatchObject({ status: "withdrawn" });
    const again = await register("bill.insurance/1.1", [...builtIn, remark]);
    expect(again.status).toBe("CREDENTIAL_SCHEMA_EXISTS");
    expect(await insure("bill.insurance/1.2", 7, 4)).toBe(SUCCESS);
  });
});

describe("what is not additive is refused", () => {
  const schema = "bill.tax/1.1";
  const tax = schemaFields(payloadSchemas["bill.tax"].fields);
  const [first = remark, second = remark, ...rest] = tax;
  const cases: readonly (readonly [string, readonly SchemaField[]])[] = [
    ["nothing new", tax],
    ["a field less", [...tax.slice(0, -1), remark]],
    ["two fields that changed places", [second, first, ...rest, remark]],
    ["another path", [{ ...first, path: "other" }, second, ...rest, remark]],
    ["another kind", [{ ...first, kind: "other" }, second, ...rest, remark]],
    ["another level", [{ ...first, level: 4 }, second, ...rest, remark]],
    ["an old field made optional", [{ ...first, isRequired: false }, second, ...rest, remark]],
    ["a new field that is required", [...tax, { ...remark, isRequired: true }]],
    ["a new field in front", [remark, ...tax]],
    ["a path that is there already", [...tax, { ...remark, path: first.path }]],
    ["a new path twice", [...tax, remark, remark]],
    ["a path that is empty", [...tax, { ...remark, path: "" }]],
    ["level 0", [...tax, { ...remark, level: 0 }]],
    ["level 5", [...tax, { ...remark, level: 5 }]],
  ];
  it.each(cases)("%s", async (_what, fields) => {
    expect((await register(schema, fields)).status).toBe("CREDENTIAL_SCHEMA_INCOMPATIBLE");
  });

  it("a version out of turn, of no type, or the built-in one", async () => {
    const next = [...tax, remark];
    expect((await register("bill.tax/1.2", next)).status).toBe("CREDENTIAL_SCHEMA_VERSION");
    expect((await register("bill.tax/2.0", next)).status).toBe("CREDENTIAL_SCHEMA_VERSION");
    expect((await register("bill.taxes/1.1", next)).status).toBe("CREDENTIAL_SCHEMA_VERSION");
    expect((await register("bill.tax/1.01", next)).status).toBe("CREDENTIAL_SCHEMA_VERSION");
    expect((await register("bill.tax/1.0", next)).status).toBe("CREDENTIAL_SCHEMA_EXISTS");
    expect((await register(schema, next, institution)).status).toBe("VM_ACCESS_DENIED");
  });

  it("more than 64 fields; 64 are taken", async () => {
    const added = Array.from({ length: 64 - tax.length }, (_, i) => ({
      ...remark,
      path: `more${i}`,
    }));
    const fields = [...tax, ...added];
    // The list's count is the second byte behind its head.
    const countAt = encode(registerSchemaArgsCodec, { schema, fields: [] }).length + 1;
    const last = encode(schemaFieldsCodec, [{ ...remark, path: "last" }]).subarray(1);
    const wide = concatBytes(encode(registerSchemaArgsCodec, { schema, fields }), last);
    expect(wide[countAt]).toBe(64);
    wide[countAt] = 65;
    const { status } = await desk.run("registerSchema", wide, { sender: regulator });
    expect(status).toBe("CREDENTIAL_MALFORMED");
    expect((await register(schema, fields)).status).toBe(SUCCESS);
  });

  it("more bytes than `schema` can answer; what is taken can be read", async () => {
    const name = "bill.invoice/1.1";
    const invoice = schemaFields(payloadSchemas["bill.invoice"].fields);
    const added = Array.from({ length: 64 - invoice.length }, (_, i) => ({
      ...remark,
      path: `wide${i}`.padEnd(60, "."),
      kind: "k".repeat(255),
    }));
    const ofLength = (length: number): readonly SchemaField[] => {
      let excess = encode(schemaFieldsCodec, [...invoice, ...added]).length - length;
      const cut = added.map((field) => {
        const less = Math.min(excess, 200);
        excess -= less;
        return { ...field, kind: field.kind.slice(less) };
      });
      return [...invoice, ...cut];
    };
    expect(encode(schemaFieldsCodec, ofLength(MAX_SCHEMA_BYTES)).length).toBe(MAX_SCHEMA_BYTES);
    const wide = await register(name, ofLength(MAX_SCHEMA_BYTES + 1));
    expect(wide.status).toBe("CREDENTIAL_SCHEMA_INCOMPATIBLE");
    expect((await register(name, ofLength(MAX_SCHEMA_BYTES))).status).toBe(SUCCESS);
    expect(await read(name)).toMatchObject({ fields: ofLength(MAX_SCHEMA_BYTES) });
  });
});

it("every code of this suite was met", () => {
  expect(missingCodes("schemas", desk.seen)).toEqual([]);
});
