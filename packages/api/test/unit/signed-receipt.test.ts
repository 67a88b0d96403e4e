import { address, decode, digest, encode, height, toHex, tryDecode } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import {
  actionOf,
  MAX_SIGNED_RECEIPT_BYTES,
  MAX_STATEMENT_BYTES,
  type ReceiptStatement,
  receiptStatementCodec,
  signedReceiptCodec,
} from "../../src/index.ts";

const base = {
  version: 1,
  genesisDigest: digest(new Uint8Array(32).fill(1)),
  actor: address(new Uint8Array(32).fill(2)),
  content: digest(new Uint8Array(32).fill(3)),
  atMs: 1_800_000_000_000,
} as const;
const block = digest(new Uint8Array(32).fill(4));
const statements: readonly ReceiptStatement[] = [
  { type: "taken", ...base, action: "create", height: height(7) },
  {
    ...{ type: "decided", ...base, action: "approve", height: height(8), block, index: 3 },
    status: "SUCCESS",
  },
  {
    ...{ type: "configured", ...base, action: "configure", height: height(9), sequence: 5 },
    mode: "draining",
  },
  { type: "received", ...base, action: "receive", transaction: null },
  { type: "received", ...base, action: "receive", transaction: block },
];

describe("S-9.5-1d: signed receipts", () => {
  test("the bytes of every statement", () => {
    const shown = statements.map((statement) => {
      const bytes = encode(receiptStatementCodec, statement);
      expect(decode(receiptStatementCodec, bytes)).toEqual(statement);
      return toHex(bytes)
        .replaceAll("01".repeat(32), "‹genesis›")
        .replaceAll("02".repeat(32), "‹actor›")
        .replaceAll("03".repeat(32), "‹content›")
        .replaceAll("04".repeat(32), "‹block›");
    });
    expect(shown).toMatchInlineSnapshot(`
      [
        "980001c420‹genesis›a6637265617465c420‹actor›c420‹content›d3000001a3185c5000d30000000000000007",
        "9b0101c420‹genesis›a7617070726f7665c420‹actor›c420‹content›d3000001a3185c5000d30000000000000008c420‹block›03a753554343455353",
        "9a0201c420‹genesis›a9636f6e666967757265c420‹actor›c420‹content›d3000001a3185c5000d30000000000000009d30000000000000005a8647261696e696e67",
        "980301c420‹genesis›a772656365697665c420‹actor›c420‹content›d3000001a3185c5000c0",
        "980301c420‹genesis›a772656365697665c420‹actor›c420‹content›d3000001a3185c5000c420‹block›",
      ]
    `);
  });

  test("the longest statement and the largest receipt fit; one more byte does not decode", () => {
    const longest: ReceiptStatement = {
      ...{ type: "decided", ...base, action: "configure", height: height(2 ** 53 - 1), block },
      ...{ index: 2 ** 32 - 1, status: "S".repeat(64) },
    };
    expect(encode(receiptStatementCodec, longest).length).toBeLessThan(MAX_STATEMENT_BYTES);
    const certificates = new Array<Uint8Array>(4).fill(new Uint8Array(4 * 1_024));
    const receipt = encode(signedReceiptCodec, {
      statement: new Uint8Array(MAX_STATEMENT_BYTES),
      publicKey: new Uint8Array(65),
      certificates,
      signature: new Uint8Array(64),
    });
    expect(receipt.length).toBeLessThanOrEqual(MAX_SIGNED_RECEIPT_BYTES);
    const over = Uint8Array.from([...encode(receiptStatementCodec, longest), 0]);
    expect(tryDecode(receiptStatementCodec, over).ok).toBe(false);
  });

  test("a method of ours is the act it is, any other contract's is sent to", () => {
    expect(actionOf({ contract: "credential", method: "correct" })).toBe("modify");
    expect(actionOf({ contract: "somebody's", method: "correct" })).toBe("send");
    expect(actionOf({ contract: "credential", method: "toString" })).toBe("send");
    expect(actionOf({ contract: "constructor", method: "name" })).toBe("send");
  });
});
