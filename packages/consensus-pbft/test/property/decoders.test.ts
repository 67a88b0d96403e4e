import { encode, height, tryDecode, view } from "@credlink/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { voteRecordCodec } from "../../src/codecs.ts";
import { createTestCluster } from "../../src/compliance.ts";
import { createReplica, defaultReplicaOptions, defaultTiming } from "../../src/replica.ts";
import { signatureClaims } from "../../src/signed-payloads.ts";
import { decodeMessage, encodeMessage } from "../../src/wire.ts";
import { exampleMessages } from "../vectors/examples.ts";

const encodings = Object.values(exampleMessages).map(encodeMessage);
const cluster = createTestCluster({ n: 4 });
const { chainId, genesisDigest } = cluster;

/** A replica at the height of the example messages: whatever decodes is thrown at it. */
function replicaAtNine() {
  const [first] = cluster.validators;
  if (first === undefined) throw new Error("no validators");
  const { publicKey } = first;
  const head = { height: height(8), digest: genesisDigest, timestampMs: 1 };
  const replica = createReplica(
    { ...defaultReplicaOptions, chainId, genesisDigest, publicKey },
    {
      head,
      validators: cluster.rosterAt(9, genesisDigest),
      nextValidators: cluster.rosterAt(10, genesisDigest),
      timing: defaultTiming,
      records: [],
      abstain: false,
    },
  );
  replica.start(1);
  return replica;
}

describe("decoders and handlers are total", () => {
  test("known bug 39: arbitrary bytes never crash a decoder", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const decoded = decodeMessage(bytes);
        if (decoded.ok) expect(encodeMessage(decoded.value)).toEqual(bytes);
        tryDecode(voteRecordCodec, bytes);
      }),
      { numRuns: 2000 },
    );
  });

  test("known bug 39: mutated messages are refused, or decode to what they encode", () => {
    let decodedCount = 0;
    const replica = replicaAtNine();
    const context = { ...cluster.contextAt(9) };
    fc.assert(
      fc.property(
        fc.constantFrom(...encodings),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
          minLength: 1,
          maxLength: 3,
        }),
        (encoded, flips) => {
          const bytes = encoded.slice();
          for (const [place, mask] of flips) {
            const at = place % bytes.length;
            bytes[at] = (bytes[at] ?? 0) ^ mask;
          }
          const decoded = decodeMessage(bytes);
          if (!decoded.ok) return;
          decodedCount++;
          expect(encodeMessage(decoded.value)).toEqual(bytes);
          for (const claim of signatureClaims(decoded.value, context)) {
            expect(claim.message).toHaveLength(32);
          }
          replica.step({ type: "message", message: decoded.value }, 2);
        },
      ),
      { numRuns: 3000 },
    );
    expect(decodedCount).toBeGreaterThan(100);
  });

  test("every truncation of every message is refused", () => {
    for (const bytes of encodings) {
      for (let length = 0; length < bytes.length; length++) {
        expect(decodeMessage(bytes.slice(0, length)).ok).toBe(false);
      }
      const longer = new Uint8Array(bytes.length + 1);
      longer.set(bytes);
      expect(decodeMessage(longer).ok).toBe(false);
    }
  });

  test("records survive their encoding", () => {
    const [one] = encodings;
    expect(one).toBeDefined();
    const record = { type: "entered-view", height: height(3), view: view(4) } as const;
    const decoded = tryDecode(voteRecordCodec, encode(voteRecordCodec, record));
    expect(decoded).toEqual({ ok: true, value: record });
  });
});
