import { digest, encode, toHex } from "@credlink/primitives";
import { expect, test } from "vitest";
import { instanceSigningMessage } from "../../src/engine/instance-statements.ts";
import {
  instanceReplyCodec,
  instanceWordCodec,
  MAX_INSTANCE_BYTES,
} from "../../src/engine/protocols.ts";

const instance = new Uint8Array(16).fill(1);
const other = new Uint8Array(16).fill(2);
const statement = { instance, other, signature: new Uint8Array(64).fill(3) };
const statementHex = `93c410${"01".repeat(16)}c410${"02".repeat(16)}c440${"03".repeat(64)}`;

test("golden bytes of a word and its reply", () => {
  expect(toHex(encode(instanceWordCodec, { instance, statements: [statement] }))).toBe(
    `92c410${"01".repeat(16)}91${statementHex}`,
  );
  expect(toHex(encode(instanceReplyCodec, { others: [instance], statements: [] }))).toBe(
    `9291c410${"01".repeat(16)}90`,
  );
});

test("golden bytes of what a statement signs", () => {
  const chain = { chainId: "chain", genesisDigest: digest(new Uint8Array(32).fill(0xaa)) };
  const domain = toHex(new TextEncoder().encode("credlink/instance/1"));
  expect(toHex(instanceSigningMessage(chain, statement))).toBe(
    `13${domain}94a5636861696ec420${"aa".repeat(32)}c410${"01".repeat(16)}c410${"02".repeat(16)}`,
  );
});

test("four of everything fits under the protocol's cap, five are refused", () => {
  const four = Array.from({ length: 4 }, () => statement);
  const word = { instance, statements: four };
  const reply = { others: four.map((one) => one.instance), statements: four };
  expect(encode(instanceWordCodec, word).length).toBeLessThanOrEqual(MAX_INSTANCE_BYTES);
  expect(encode(instanceReplyCodec, reply).length).toBeLessThanOrEqual(MAX_INSTANCE_BYTES);
  const five = [...four, statement];
  expect(() => encode(instanceWordCodec, { instance, statements: five })).toThrow();
  const others = five.map((one) => one.instance);
  expect(() => encode(instanceReplyCodec, { others, statements: [] })).toThrow();
});
