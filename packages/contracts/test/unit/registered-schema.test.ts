import type { WireValue } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { kindNamed } from "../../src/field-kinds.ts";
import {
  commitPayload,
  createSalts,
  credentialTypes,
  parseSchemaName,
  payloadSchemas,
  schemaFields,
  schemaOfFields,
  validatePayload,
  verifyPayload,
} from "../../src/index.ts";

const added = (kind: string, level = 1) => ({ path: "added", kind, isRequired: false, level });

describe("a registered schema version", () => {
  it("keeps the kinds of version 1.0 where it has its fields", () => {
    for (const type of credentialTypes) {
      const builtIn = payloadSchemas[type];
      const { fields, level } = schemaOfFields(`${type}/1.1`, type, [
        ...schemaFields(builtIn.fields),
        added("a month as YYYY-MM"),
      ]);
      expect(fields.slice(0, -1)).toEqual(builtIn.fields);
      expect(fields.at(-1)?.kind).toBe(kindNamed("a month as YYYY-MM"));
      expect(level).toBe(builtIn.level);
    }
  });

  it("commits and judges a payload with what it adds, and has the highest level", () => {
    const type = "risk.alert";
    const fields = [...schemaFields(payloadSchemas[type].fields), added("text of 1 to 4 bytes", 4)];
    const schema = schemaOfFields(`${type}/1.1`, type, fields);
    expect(schema.level).toBe(4);
    const detectedAt = 1_790_000_000_000n;
    const targets = [new Uint8Array(32)];
    const payload = { ruleId: "x", severity: "high", targets, detectedAt, added: "abcd" };
    expect(validatePayload(schema, payload).ok).toBe(true);
    expect(validatePayload(schema, { ...payload, added: "abcde" })).toMatchObject({
      code: "CONTRACTS_PAYLOAD_FIELD_INVALID",
    });
    expect(validatePayload(payloadSchemas[type], payload)).toMatchObject({
      code: "CONTRACTS_PAYLOAD_FIELD_UNKNOWN",
    });
    const salts = createSalts(payload, (length) => new Uint8Array(length).fill(7));
    const commitment = commitPayload(schema, payload, salts);
    expect(verifyPayload(schema, payload, salts, commitment).ok).toBe(true);
    expect(verifyPayload(payloadSchemas[type], payload, salts, commitment).ok).toBe(false);
  });

  it.each<[string, WireValue, boolean]>([
    ["text of 1 to 4 bytes", "abcd", true],
    ["text of 1 to 4 bytes", "abcde", false],
    ["one of a, b", "b", true],
    ["one of a, b", "c", false],
    ["an amount in whole fen", 5n, true],
    ["an amount in whole fen", 5, false],
    ["1 to 2 of: a whole number", [1, 2], true],
    ["1 to 2 of: a whole number", [1, 2, 3], false],
    ["1 to 2 of: one of a, b", ["c"], false],
    ["a shade of blue", ["anything"], true],
  ])("a field of the kind `%s` holds what it says and nothing else (%#)", (name, value, holds) => {
    expect(kindNamed(name).name).toBe(name);
    expect(kindNamed(name).holds(value)).toBe(holds);
  });

  it("is named by its type and number", () => {
    expect(parseSchemaName("bill.red-invoice/1.0")).toEqual({ type: "bill.red-invoice", minor: 0 });
    expect(parseSchemaName("transaction.task/1.9999")?.minor).toBe(9_999);
    for (const wrong of [
      "",
      "bill/1.0",
      "bill.tax",
      "bill.tax/2.0",
      "bill.tax/1.01",
      "bill.tax/1.",
    ]) {
      expect(parseSchemaName(wrong), wrong).toBeNull();
    }
    expect(parseSchemaName("bill.tax/1.10000")).toBeNull();
  });
});
