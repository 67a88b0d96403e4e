import { concatBytes, toHex } from "@credlink/primitives";
import { streamPair } from "@libp2p/utils";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HandshakeRecords } from "../../../src/p2p/gm/handshake-records.ts";
import { prefixed, RecordSplitter } from "../../../src/p2p/gm/record-splitter.ts";

const broken = expect.objectContaining({ code: "NODE_ADMISSION_CHANNEL_BROKEN" });

describe("S-8.4-12: lengths of records", () => {
  test("the bounds themselves pass; one byte less or more is refused before it is waited for", () => {
    for (const length of [17, 65_535]) {
      const records = new RecordSplitter({ min: 17, max: 65_535 });
      records.push(prefixed(new Uint8Array(length)));
      expect(records.next()?.length).toBe(length);
      expect(records.next()).toBeUndefined();
    }
    for (const [length, max] of [
      [0, 65_535],
      [16, 65_535],
      [1_025, 1_024],
    ] as const) {
      const records = new RecordSplitter({ min: 17, max });
      records.push(prefixed(new Uint8Array(length)).subarray(0, 2));
      expect(() => records.next()).toThrow(broken);
    }
  });

  test("records come out whole however the bytes are cut, and the rest is kept", () => {
    const record = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 6 }),
        fc.integer({ min: 1, max: 50 }),
        (all, size) => {
          const records = new RecordSplitter({ min: 1, max: 300 });
          const bytes = concatBytes(...all.map(prefixed), Uint8Array.of(0, 200, 7));
          const seen: string[] = [];
          for (let at = 0; at < bytes.length; at += size) {
            records.push(bytes.subarray(at, at + size));
            for (let next = records.next(); next !== undefined; next = records.next()) {
              seen.push(toHex(next));
            }
          }
          expect(seen).toEqual(all.map(toHex));
          expect(toHex(records.rest())).toBe("00c807");
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("S-8.4-12: a handshake that does not go on", () => {
  test("ends with the deadline", async () => {
    const [stream] = await streamPair();
    const records = new HandshakeRecords(stream, AbortSignal.timeout(20));
    await expect(records.receive()).rejects.toThrow(
      expect.objectContaining({ code: "NODE_ADMISSION_TIMEOUT" }),
    );
  });

  test("ends when the peer hangs up in the middle of a message", async () => {
    const [stream, peer] = await streamPair();
    const records = new HandshakeRecords(stream, undefined);
    peer.send(prefixed(new Uint8Array(65)).subarray(0, 30));
    setTimeout(() => peer.abort(new Error("gone")), 20);
    await expect(records.receive()).rejects.toThrow(
      expect.objectContaining({ code: "NODE_ADMISSION_ABORTED" }),
    );
  });
});
