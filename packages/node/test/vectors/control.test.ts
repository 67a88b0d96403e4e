import {
  AUDIT_DOMAIN,
  auditEntryCodec,
  CONTROL_DOMAIN,
  controlActions,
  controlRequestCodec,
} from "@credlink/api";
import { taggedSm3 } from "@credlink/crypto";
import { address, decode, digest, encode, toHex } from "@credlink/primitives";
import { expect, test } from "vitest";
import { hashEntry, readLine, showEntry } from "../../src/control/audit-line.ts";

const request = {
  version: 1,
  genesisDigest: digest(new Uint8Array(32).fill(1)),
  node: "12D3KooWNode",
  admin: address(new Uint8Array(32).fill(2)),
  nonce: new Uint8Array(16).fill(3),
  issuedAtMs: 1_800_000_000_000,
  expiresAtMs: 1_800_000_060_000,
  action: "config.set",
  key: "log.level",
  value: '"debug"',
} as const;

test("the bytes of a control request, and what is signed of it", () => {
  const bytes = encode(controlRequestCodec, request);
  expect(toHex(bytes)).toMatchInlineSnapshot(`"9a01c4200101010101010101010101010101010101010101010101010101010101010101ac313244334b6f6f574e6f6465c4200202020202020202020202020202020202020202020202020202020202020202c41003030303030303030303030303030303d3000001a3185c5000d3000001a3185d3a60aa636f6e6669672e736574a96c6f672e6c6576656ca722646562756722"`);
  expect(decode(controlRequestCodec, bytes)).toEqual(request);
  expect(toHex(taggedSm3(CONTROL_DOMAIN, bytes))).toMatchInlineSnapshot(`"9a29d4866ef94894469d900158f6fed62c4d272f6958bdff48ff6c3236a91c71"`);
  expect(CONTROL_DOMAIN.length).toBe(0x17);
  for (const action of controlActions) {
    const other = { ...request, action };
    expect(decode(controlRequestCodec, encode(controlRequestCodec, other))).toEqual(other);
  }
});

test("the bytes, the digest and the line of an audit entry", () => {
  const entry = {
    sequence: 7,
    timeMs: 1_800_000_000_001,
    type: "accepted",
    of: null,
    member: request.admin,
    code: "",
    detail: "config.set log.level",
    request: encode(controlRequestCodec, request),
    signature: new Uint8Array(64).fill(4),
    suppressed: 2,
    previous: digest(new Uint8Array(32).fill(5)),
  } as const;
  expect(AUDIT_DOMAIN.length).toBe(0x15);
  expect(toHex(hashEntry(entry))).toMatchInlineSnapshot(`"9b7425a0a3ada7e9e55dbc39aae79e9fc192c434288772bb30937b53c039b670"`);
  expect(toHex(encode(auditEntryCodec, entry)).slice(0, 64)).toMatchInlineSnapshot(`"9bd30000000000000007d3000001a3185c5001a86163636570746564c0c42002"`);
  const line = JSON.stringify(showEntry(entry));
  expect(readLine(line)).toEqual(entry);
  expect(readLine(line.replace("config.set log", "config.set log2"))).toBeNull();
});
