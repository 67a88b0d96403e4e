import { encode, fromHex, height, toHex, tryDecode, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { messageCodec, voteRecordCodec } from "../../src/codecs.ts";
import { createValidatorSet, encodeEvidence, validatorsCodec } from "../../src/certificates.ts";
import { fakeValidator } from "../../src/compliance.ts";
import type { VoteRecord } from "../../src/effects.ts";
import { signedPayload } from "../../src/signed-payloads.ts";
import { statementCodec, statementOf } from "../../src/statements.ts";
import { decodeMessage, encodeMessage, maxMessageBytes } from "../../src/wire.ts";
import { exampleCertificate, exampleEvidence, exampleMessages, exampleProposal, filled } from "./examples.ts";
import golden from "./golden.json" with { type: "json" };

const h = height(9);
const records: Readonly<Record<string, VoteRecord>> = {
  proposed: {
    type: "proposed",
    height: h,
    view: view(0),
    digest: filled(2),
    parentDigest: filled(3),
  },
  "prepare-voted": { type: "prepare-voted", height: h, view: view(0), digest: filled(2) },
  "commit-voted": {
    type: "commit-voted",
    certificate: exampleCertificate,
    proposal: exampleProposal,
  },
  "entered-view": { type: "entered-view", height: h, view: view(1) },
  decided: { type: "decided", height: h, digest: filled(2) },
  abstained: { type: "abstained", height: h },
  recovered: { type: "recovered", height: h },
};
const context = { chainId: "chain", genesisDigest: filled(6), validatorsHash: filled(4) };

/** The bytes of every format, by name. */
function formats(): Readonly<Record<string, string>> {
  const entries: [string, Uint8Array][] = [];
  for (const [name, message] of Object.entries(exampleMessages)) {
    entries.push([`message ${name}`, encodeMessage(message)]);
    if (message.type === "decided") continue;
    entries.push([`payload ${name}`, signedPayload(context, message)]);
    const statement = statementOf(message);
    if (statement === null) continue;
    expect(signedPayload(context, statement)).toEqual(signedPayload(context, message));
    entries.push([`statement ${name}`, encode(statementCodec, statement)]);
  }
  for (const [name, record] of Object.entries(records)) {
    entries.push([`record ${name}`, encode(voteRecordCodec, record)]);
  }
  for (const [name, evidence] of Object.entries(exampleEvidence)) {
    entries.push([`evidence ${name}`, encodeEvidence(evidence)]);
  }
  const validators = [0, 1].map(fakeValidator);
  entries.push(["validators", encode(validatorsCodec, validators)]);
  entries.push(["validators hash", createValidatorSet(validators).hash]);
  return Object.fromEntries(entries.map(([name, value]) => [name, toHex(value)]));
}

describe("formats", () => {
  test("known bug 20: golden bytes of every message, signed payload and record", () => {
    expect(formats()).toEqual(golden);
  });

  test("golden messages decode to the value they were made of", () => {
    const bytes = new Map(Object.entries(golden));
    for (const [name, message] of Object.entries(exampleMessages)) {
      const decoded = decodeMessage(fromHex(bytes.get(`message ${name}`) ?? ""));
      expect(decoded).toEqual({ ok: true, value: message });
    }
    for (const [name, record] of Object.entries(records)) {
      const decoded = tryDecode(voteRecordCodec, fromHex(bytes.get(`record ${name}`) ?? ""));
      expect(decoded).toEqual({ ok: true, value: record });
    }
  });

  test("size caps at their edge: the limit passes, one byte more does not", () => {
    const limits = { validatorCount: 4, maxBlockBytes: 1000 };
    const base = exampleMessages["pre-prepare"];
    if (base?.type !== "pre-prepare") throw new Error("no example");
    const cap = maxMessageBytes("pre-prepare", limits);
    const sized = (transactionBytes: number) =>
      encodeMessage({ ...base, transactions: [new Uint8Array(transactionBytes)] });
    const overhead = sized(65_536).length - 65_536;
    const atLimit = sized(cap - overhead);
    expect(atLimit).toHaveLength(cap);
    expect(decodeMessage(atLimit, limits).ok).toBe(true);
    expect(decodeMessage(sized(cap - overhead + 1), limits)).toMatchObject({
      ok: false,
      code: "CONSENSUS_MESSAGE_TOO_LARGE",
    });
  });

  test("a vote larger than 512 bytes is refused by its type, before it is decoded", () => {
    const long = new Uint8Array(513);
    for (const tag of [2, 3, 4]) {
      long.set([0x96, tag]);
      expect(decodeMessage(long)).toMatchObject({ code: "CONSENSUS_MESSAGE_TOO_LARGE" });
      expect(decodeMessage(long.slice(0, 512))).toMatchObject({
        code: "CONSENSUS_MESSAGE_MALFORMED",
      });
    }
  });

  test("the largest certificates of every validator count fit under their caps", () => {
    for (const count of [1, 4, 7, 32, 256]) {
      const q = Math.floor((count + Math.floor((count - 1) / 3)) / 2) + 1;
      const signatures = Array.from({ length: q }, (_, at) => ({
        index: validatorIndex(count - q + at),
        signature: new Uint8Array(64).fill(255),
      }));
      const prepared = { ...exampleCertificate, view: view(2 ** 31 - 1), signatures };
      const message = exampleMessages["view-change"];
      if (message?.type !== "view-change") throw new Error("no example");
      const bytes = encodeMessage({ ...message, view: view(2 ** 31), prepared });
      expect(bytes.length).toBeLessThanOrEqual(
        maxMessageBytes("view-change", { validatorCount: count }),
      );
    }
  });

  test("a view beyond 2^31 is refused, not kept", () => {
    const wish = exampleMessages["wish"];
    if (wish?.type !== "wish") throw new Error("no example");
    const bytes = encodeMessage({ ...wish, view: view(2 ** 31) });
    expect(decodeMessage(bytes).ok).toBe(true);
    const at = bytes.findIndex((byte, i) => byte === 0xce && bytes[i + 1] === 0x80);
    bytes[at + 4] = 1;
    expect(decodeMessage(bytes)).toMatchObject({ code: "CONSENSUS_MESSAGE_MALFORMED" });
    expect(tryDecode(messageCodec, bytes).ok).toBe(false);
  });
});

