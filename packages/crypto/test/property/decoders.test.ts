import { readFileSync } from "node:fs";
import { toHex } from "@credlink/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesToWords, wordsToBytes } from "../../src/bech32m.ts";
import { assertStrictDer, derObjectIdentifier, objectIdentifierText } from "../../src/der.ts";
import { CryptoError, generateKeyPair } from "../../src/index.ts";
import { codeOf, doors, thrownCode } from "../support/doors.ts";

function read(name: string): Uint8Array {
  const url = new URL(`../vectors/x509-gmssl/${name}`, import.meta.url);
  return Uint8Array.from(readFileSync(url));
}

function der(name: string): Uint8Array {
  const body = Buffer.from(read(name))
    .toString("latin1")
    .replaceAll(/-----[^-]+-----/g, "");
  return Uint8Array.from(Buffer.from(body, "base64"));
}

const SAMPLES = [
  der("node1.crt"),
  der("root.crt"),
  der("node1.csr"),
  der("node1.key"),
  read("org1.crl.der"),
  read("message.node1.sig.der"),
];

/** Random bytes, and samples with bytes replaced, removed or put in. */
const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc
    .tuple(
      fc.constantFrom(...SAMPLES),
      fc.array(fc.tuple(fc.nat(1000), fc.nat(3), fc.nat(255)), { minLength: 1, maxLength: 4 }),
    )
    .map(([sample, edits]) => {
      const bytes = [...sample];
      for (const [at, kind, value] of edits) {
        const place = at % Math.max(1, bytes.length);
        if (kind === 0) bytes.splice(place, 1);
        else if (kind === 1) bytes.splice(place, 0, value);
        else if (kind === 2) bytes.length = Math.max(1, place);
        else bytes[place] = value;
      }
      return Uint8Array.from(bytes);
    }),
);

describe.each(doors)("%s door", (name, door) => {
  const runs = { numRuns: name === "node" ? 2_000 : 300 };

  test("S-9.6-1: no bytes whatever crash a decoder or the verifier", () => {
    const { publicKey } = generateKeyPair();
    fc.assert(
      fc.property(hostile, (bytes) => {
        for (const result of [
          door.parseCertificate(bytes),
          door.parseRevocationList(bytes),
          door.parseSigningRequest(bytes),
          door.sm2SignatureFromDer(bytes),
          door.sm2SignatureToDer(bytes),
        ]) {
          if (!result.ok) expect(result.code).toMatch(/^CRYPTO_/);
        }
        door.sm2Verify(bytes, bytes, bytes);
        door.sm2Verify(publicKey, bytes, bytes);
        expect(door.sm2Verify(publicKey, bytes, bytes.subarray(0, 64))).toBe(false);
      }),
      runs,
    );
  });

  test("no text whatever crashes a text decoder", async () => {
    const text = fc.oneof(
      fc.string({ maxLength: 200 }),
      hostile.map((bytes) => door.encodePem("CERTIFICATE", bytes)),
      hostile.map((bytes) => door.encodePem("ENCRYPTED PRIVATE KEY", bytes)),
      hostile.map((bytes) => door.encodePem("PRIVATE KEY", bytes)),
    );
    await fc.assert(
      fc.asyncProperty(text, async (input) => {
        expect(codeOf(door.parseAddress(input))).toBe("CRYPTO_ADDRESS_MALFORMED");
        door.parseCertificate(input);
        door.parseCertificateBundle(input);
        door.parseSigningRequest(input);
        door.parseRevocationList(input);
        const access = { password: "x", allowPlaintext: true };
        const code = await thrownCode(() => door.decryptPrivateKey(input, access));
        expect(code).toMatch(/^CRYPTO_/);
      }),
      { numRuns: 60 },
    );
  });

  test("key files come back, for every password", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (password) => {
        const { privateKey } = generateKeyPair();
        const pem = door.encryptPrivateKey(privateKey, password, { iterations: 1_024 });
        expect(toHex(door.decryptPrivateKey(pem, password))).toBe(toHex(privateKey));
      }),
      { numRuns: 20 },
    );
  });
});

test("what strict DER refuses in detail", async () => {
  for (const bytes of [
    [0x02, 0x02, 0x00, 0x01],
    [0x02, 0x02, 0xff, 0xff],
    [0x02, 0x00],
    [0x01, 0x01, 0x01],
    [0x03, 0x02, 0x01, 0x01],
    [0x03, 0x01, 0x01],
    [0x05, 0x01, 0x00],
    [0x06, 0x02, 0x80, 0x01],
    [0x06, 0x01, 0x81],
    [0x24, 0x03, 0x04, 0x01, 0x00],
    [0x1f, 0x81, 0x01, 0x00],
    [0x30, 0x80, 0x00, 0x00],
    [0x04, 0x82, 0x00, 0x01, 0x00],
  ]) {
    const code = await thrownCode(() => assertStrictDer(Uint8Array.from(bytes)));
    expect(code).toBe("CRYPTO_DER_MALFORMED");
  }
  let deep = Uint8Array.of(5, 0);
  for (let i = 0; i < 30; i++) deep = Uint8Array.of(0x30, deep.length, ...deep);
  expect(await thrownCode(() => assertStrictDer(deep))).toBe("CRYPTO_DER_MALFORMED");
});

test("strict DER: what is accepted is refused with a byte more or a byte less", () => {
  for (const sample of SAMPLES) {
    expect(() => assertStrictDer(sample)).not.toThrow();
    expect(() => assertStrictDer(Uint8Array.of(...sample, 0))).toThrow(CryptoError);
    expect(() => assertStrictDer(sample.subarray(0, -1))).toThrow(CryptoError);
  }
});

test("object identifiers and bech32m words come back", () => {
  const arcs = fc.tuple(fc.nat(2), fc.nat(39), fc.array(fc.nat(), { minLength: 1, maxLength: 8 }));
  fc.assert(
    fc.property(arcs, ([first, second, rest]) => {
      const dotted = [first, second, ...rest].join(".");
      expect(objectIdentifierText(derObjectIdentifier(dotted).subarray(2))).toBe(dotted);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(wordsToBytes(bytesToWords(bytes))).toEqual(bytes);
    }),
  );
});
