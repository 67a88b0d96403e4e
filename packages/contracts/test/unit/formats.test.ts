import { encode, fromHex, toHex } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  createIndexEntry,
  credentialFamilies,
  credentialRecordCodec,
  credentialTypes,
  decodeCredentialFile,
  encodeCredentialFile,
  familyOf,
  identifierKinds,
  type Payload,
  payloadSchemas,
  validatePayload,
} from "../../src/index.ts";
import { exampleRecord } from "../support/example-record.ts";

const key = { keyId: 1, key: new Uint8Array(32).fill(5) };

describe("identifier indexes", () => {
  it("T-4.8.2-a: one identifier gives one value, however it is written", () => {
    const value = (text: string): string =>
      toHex(createIndexEntry(key, "identity-number", text).value);
    expect(value("11010519491231002X")).toBe(value("110105 19491231 002x"));
    expect(value("11010519491231002X")).toBe(value("１１０１０５19491231002X"));
    expect(value("11010519491231002X")).not.toBe(value("110105194912310030"));
  });

  it("T-4.6.1-1: another key or kind gives another value", () => {
    const values = [
      ...identifierKinds.map((kind) => createIndexEntry(key, kind, "13800138000")),
      createIndexEntry({ ...key, key: new Uint8Array(32) }, "mobile-number", "13800138000"),
    ].map(({ value }) => toHex(value));
    expect(new Set(values).size).toBe(values.length);
    expect(values.every((value) => value.length === 64)).toBe(true);
  });

  it("refuses a key that is too short", () => {
    const short = { keyId: 1, key: new Uint8Array(16) };
    expect(() => createIndexEntry(short, "mobile-number", "1")).toThrow(
      expect.objectContaining({ code: "CONTRACTS_INDEX_KEY_INVALID" }),
    );
  });
});

describe("credential files", () => {
  const file = {
    record: exampleRecord(),
    payload: {
      text: "字",
      number: 7,
      wide: 2n ** 60n,
      bytes: fromHex("00ff"),
      nested: [
        [1n, "a"],
        [true, null],
      ],
    },
    salts: { text: new Uint8Array(32).fill(1) },
    openings: [{ value: 2n ** 53n - 1n, blinding: new Uint8Array(32).fill(7) }],
  };

  it("reads what it wrote", () => {
    expect(decodeCredentialFile(encodeCredentialFile(file))).toEqual(file);
  });

  it("refuses anything else with one code", () => {
    const good = encodeCredentialFile(file);
    for (const text of [
      "",
      "{}",
      good.replace("credential-file/2", "credential-file/1"),
      good.replace('"value": "9', '"value": "-'),
      good.replace('"openings": [', '"openings": {}, "more": ['),
      good.replace('"number": 7', '"number": 7.5'),
      good.replace('"number": 7', '"number": -1'),
      good.replace('"integer"', '"float"'),
      good.replace("00ff", "00f"),
      good.replace("0101", "01"),
    ]) {
      expect(() => decodeCredentialFile(text)).toThrow(
        expect.objectContaining({ code: "CONTRACTS_FILE_MALFORMED" }),
      );
    }
  });
});

describe("payload schemas", () => {
  it("there is one for every type, and every family has types", () => {
    for (const type of credentialTypes) expect(payloadSchemas[type].id).toBe(`${type}/1.0`);
    expect(new Set(credentialTypes.map(familyOf))).toEqual(new Set(credentialFamilies));
  });

  it("name no path twice", () => {
    for (const { id, fields } of Object.values(payloadSchemas)) {
      expect(new Set(fields.map(({ path }) => path)).size, id).toBe(fields.length);
    }
  });

  const tax: Payload = {
    taxpayerReference: "P1",
    taxType: "income",
    period: "2026-10",
    base: 100n,
    rateRuleId: "r",
    amount: 1n,
  };
  const judge = (payload: Payload) => validatePayload(payloadSchemas["bill.tax"], payload);

  it("take what fits", () => {
    expect(judge(tax).ok).toBe(true);
  });

  it.each([
    ["a missing field", { ...tax, base: undefined }, "CONTRACTS_PAYLOAD_FIELD_MISSING"],
    ["an unknown field", { ...tax, more: "x" }, "CONTRACTS_PAYLOAD_FIELD_UNKNOWN"],
    ["an amount as a number", { ...tax, base: 100 }, "CONTRACTS_PAYLOAD_FIELD_INVALID"],
    ["a month that is none", { ...tax, period: "2026-13" }, "CONTRACTS_PAYLOAD_FIELD_INVALID"],
    ["an unknown choice", { ...tax, taxType: "toll" }, "CONTRACTS_PAYLOAD_FIELD_INVALID"],
    ["empty text", { ...tax, rateRuleId: "" }, "CONTRACTS_PAYLOAD_FIELD_INVALID"],
  ])("refuse %s", (_name, payload, code) => {
    const given = Object.fromEntries(
      Object.entries(payload).filter(([, value]) => value !== undefined),
    );
    expect(judge(given as Payload)).toMatchObject({ ok: false, code });
  });

  it("refuse sums that do not add up", () => {
    const settlement: Payload = {
      items: [
        [new Uint8Array(32), 60n],
        [new Uint8Array(32), 40n],
      ],
      gross: 100n,
      serviceFee: 6n,
      taxWithheld: 1n,
      net: 93n,
      currency: "CNY",
      period: "2026-10",
      payer: new Uint8Array(32),
      payeeReference: "P1",
    };
    const schema = payloadSchemas["transaction.settlement"];
    expect(validatePayload(schema, settlement).ok).toBe(true);
    for (const wrong of [{ gross: 101n }, { net: 94n }]) {
      expect(validatePayload(schema, { ...settlement, ...wrong })).toMatchObject({
        code: "CONTRACTS_PAYLOAD_INCONSISTENT",
      });
    }
  });

  it("the golden encoding of a record stays", async () => {
    await expect(toHex(encode(credentialRecordCodec, exampleRecord()))).toMatchFileSnapshot(
      "../vectors/credential-record.hex",
    );
  });
});
