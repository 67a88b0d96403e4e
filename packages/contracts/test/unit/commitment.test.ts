import { createHash } from "node:crypto";
import { randomBytes, sm3, taggedSm3 } from "@credlink/crypto";
import { concatBytes, decode, digest, encode, toHex, wireValue } from "@credlink/primitives";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  commitPayload,
  createSalts,
  discloseField,
  fieldDisclosureCodec,
  type Payload,
  payloadSchemas,
  verifyDisclosure,
  verifyPayload,
} from "../../src/index.ts";

const schema = payloadSchemas["risk.alert"];
const payload: Payload = {
  ruleId: "night-burst/1",
  severity: "high",
  targets: [new Uint8Array(32).fill(7)],
  detectedAt: 1_790_000_000_000n,
};
const salts = Object.fromEntries(
  Object.keys(payload).map((path, i) => [path, new Uint8Array(32).fill(i + 1)]),
);

describe("field commitments", () => {
  it("S-9.6-1: the root is RFC 6962's over SM3 of the leaves, absent fields as null leaves", () => {
    const paths = ["ruleId", "severity", "targets", "detectedAt"];
    const leaves = paths.map((path) => {
      const value = payload[path] ?? null;
      const content = encode(wireValue, ["risk.alert/1.0", path, salts[path] ?? null, value]);
      return taggedSm3("credlink/field/1", content);
    });
    const reference = (data: Uint8Array): Uint8Array =>
      new Uint8Array(createHash("sm3").update(data).digest());
    const [a, b, c, d, e] = [...leaves, digest(new Uint8Array(32))].map((leaf) =>
      reference(concatBytes(Uint8Array.of(0), leaf)),
    );
    const none: Uint8Array = new Uint8Array();
    const node = (left = none, right = none): Uint8Array =>
      reference(concatBytes(Uint8Array.of(1), left, right));
    const root = node(node(node(a, b), node(c, d)), e);
    expect(toHex(commitPayload(schema, payload, salts).root)).toBe(toHex(root));
  });

  it("keeps its golden root", () => {
    expect(toHex(commitPayload(schema, payload, salts).root)).toBe(GOLDEN_ROOT);
  });

  it("T-4.6.1-1: the same phone number in two records gives two roots and two leaves", () => {
    const identity = payloadSchemas["identity.individual"];
    const phone: Payload = { mobile: "13800138000" };
    const first = createSalts(phone, randomBytes);
    const second = createSalts(phone, randomBytes);
    const rootOf = (own: typeof first): string => toHex(commitPayload(identity, phone, own).root);
    expect(rootOf(first)).not.toBe(rootOf(second));
    expect(rootOf(first)).toBe(rootOf(first));
    const plain = toHex(sm3(new TextEncoder().encode("13800138000")));
    expect(rootOf(first)).not.toBe(plain);
  });

  it("T-4.8.2-a: a payload verifies, and no longer after any change", () => {
    const commitment = commitPayload(schema, payload, salts);
    expect(verifyPayload(schema, payload, salts, commitment).ok).toBe(true);
    const changes: readonly Payload[] = [
      { ...payload, severity: "low" },
      { ...payload, detectedAt: 1_790_000_000_001n },
      { ...payload, status: "open" },
      { ...payload, unknown: "x" },
      Object.fromEntries(Object.entries(payload).slice(1)),
    ];
    for (const changed of changes) {
      const all = { ...salts, status: new Uint8Array(32), unknown: new Uint8Array(32) };
      expect(verifyPayload(schema, changed, all, commitment)).toMatchObject({
        code: "CONTRACTS_COMMITMENT_MISMATCH",
      });
    }
    const bent = { ...salts, ruleId: new Uint8Array(32).fill(9) };
    expect(verifyPayload(schema, payload, bent, commitment).ok).toBe(false);
    expect(verifyPayload(schema, payload, {}, commitment).ok).toBe(false);
  });

  it("every field of every schema can be shown alone, and only as it was", () => {
    for (const each of Object.values(payloadSchemas)) {
      const full = Object.fromEntries(each.fields.map(({ path }) => [path, `value of ${path}`]));
      const own = createSalts(full, randomBytes);
      const commitment = commitPayload(each, full, own);
      for (const { path } of each.fields) {
        const bytes = encode(fieldDisclosureCodec, discloseField(each, full, own, path));
        const shown = decode(fieldDisclosureCodec, bytes);
        expect(verifyDisclosure(each, shown, commitment).ok, `${each.id} ${path}`).toBe(true);
        const lie = { ...shown, value: "something else" };
        expect(verifyDisclosure(each, lie, commitment).ok).toBe(false);
        const moved = { ...shown, index: (shown.index + 1) % each.fields.length };
        expect(verifyDisclosure(each, moved, commitment).ok).toBe(false);
        const longer = { ...shown, siblings: [...shown.siblings, commitment.root] };
        expect(verifyDisclosure(each, longer, commitment).ok).toBe(false);
        const shorter = { ...shown, siblings: shown.siblings.slice(1) };
        expect(verifyDisclosure(each, shorter, commitment).ok).toBe(false);
      }
    }
  });

  it("refuses to commit or disclose what is not there", () => {
    expect(() => commitPayload(schema, payload, {})).toThrow(
      expect.objectContaining({ code: "CONTRACTS_SALT_MISSING" }),
    );
    expect(() => discloseField(schema, payload, salts, "status")).toThrow(
      expect.objectContaining({ code: "CONTRACTS_FIELD_ABSENT" }),
    );
  });

  it("one flipped bit of a disclosure is found", () => {
    const commitment = commitPayload(schema, payload, salts);
    const bytes = encode(fieldDisclosureCodec, discloseField(schema, payload, salts, "severity"));
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const bent = bytes.slice();
        bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        let isTaken = true;
        try {
          isTaken = verifyDisclosure(schema, decode(fieldDisclosureCodec, bent), commitment).ok;
        } catch {
          isTaken = false;
        }
        return !isTaken;
      }),
      { numRuns: 300 },
    );
  });
});

const GOLDEN_ROOT = "db7918ae020ade11e89e5672d853fd6602e97d3a77055c0a9a71bf6bf83b0742";
