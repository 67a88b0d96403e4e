import { generateKeyPair, createSm2Signer } from "@credlink/crypto";
import { describe, expect, it } from "vitest";
import { canonicalBytes, createProof, verifyProof } from "../../src/vc/suite.ts";

const canonical = (value: unknown): string => new TextDecoder().decode(canonicalBytes(value));

describe("RFC 8785: one form of JSON", () => {
  it("§3.2.2: numbers, escapes, literals", () => {
    const value = {
      numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonical(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("§3.2.3: properties by UTF-16 code units", () => {
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    expect(Object.values(JSON.parse(canonical(value)) as object)).toHaveLength(7);
    expect([...canonical(value).matchAll(/:"([^"]+)"/g)].map(([, text]) => text)).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  // Appendix B: IEEE 754 bits and how ECMAScript writes them.
  it.each([
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["c340000000000000", "-9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
  ])("appendix B: %s is %s", (bits, text) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(`0x${bits}`));
    expect(canonical(view.getFloat64(0))).toBe(text);
  });

  it("refuses what no JSON can say", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, "\ud800"]) {
      expect(() => canonicalBytes(value)).toThrow();
    }
  });
});

describe("sm2-sm3-jcs", () => {
  const pair = generateKeyPair();
  const document = { "@context": ["https://www.w3.org/ns/credentials/v2"], id: "x", list: [1, 2] };
  const settings = { created: "2026-11-27T00:00:00.000Z", verificationMethod: "did:credlink:c:cl1x#key-0" };

  it("binds the document, its settings and the key, not the order of properties", async () => {
    const proof = await createProof(document, settings, createSm2Signer(pair.privateKey));
    const { "@context": context, id, list } = document;
    expect(verifyProof({ list, id, "@context": context }, proof, pair.publicKey)).toBe(true);
    expect(verifyProof({ ...document, list: [2, 1] }, proof, pair.publicKey)).toBe(false);
    expect(verifyProof({ ...document, "@context": [] }, proof, pair.publicKey)).toBe(false);
    expect(verifyProof(document, { ...proof, created: "2026-11-27T00:00:01.000Z" }, pair.publicKey)).toBe(false);
    expect(verifyProof(document, proof, generateKeyPair().publicKey)).toBe(false);
  });
});
