import { digest, height, toHex, utf8, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { crc32c } from "../../src/crc32c.ts";
import type { VoteRecord } from "../../src/effects.ts";
import {
  encodeFrame,
  encodeSegmentHeader,
  FRAME_OVERHEAD_BYTES,
  headerLink,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  scanSegment,
  segmentName,
  voteLogIdentity,
} from "../../src/vote-log.ts";
import { exampleCertificate, exampleProposal, filled } from "../vectors/examples.ts";

const identity = voteLogIdentity(filled(1), new Uint8Array(65).fill(4));
const h = height(9);
const records: readonly VoteRecord[] = [
  { type: "proposed", height: h, view: view(0), digest: filled(2), parentDigest: filled(3) },
  { type: "prepare-voted", height: h, view: view(0), digest: filled(2) },
  { type: "commit-voted", certificate: exampleCertificate, proposal: exampleProposal },
  { type: "entered-view", height: h, view: view(1) },
  { type: "decided", height: h, digest: filled(2) },
];

function build(from: readonly VoteRecord[] = records) {
  const header = encodeSegmentHeader(identity, 1);
  const parts = [header];
  const ends = [header.length];
  let link = headerLink(header);
  from.forEach((record, at) => {
    const encoded = encodeFrame(at + 1, link, record);
    link = encoded.link;
    parts.push(encoded.frame);
    ends.push((ends.at(-1) ?? 0) + encoded.frame.length);
  });
  const segment = new Uint8Array(ends.at(-1) ?? 0);
  let at = 0;
  for (const part of parts) {
    segment.set(part, at);
    at += part.length;
  }
  return { segment, ends };
}

const { segment, ends } = build();
const expected = { identity, firstLsn: 1 };

describe("vote log", () => {
  test("crc32c agrees with RFC 3720 appendix B.4", () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(utf8("6789"), crc32c(utf8("12345")))).toBe(crc32c(utf8("123456789")));
    expect(crc32c(utf8("123456789"))).toBe(0xe3069283);
  });

  test("what is written is read, with and without room laid out in advance", () => {
    for (const room of [0, 1, 4096]) {
      const file = new Uint8Array(segment.length + room);
      file.set(segment);
      const scan = scanSegment(file, { ...expected, acknowledgedLsn: 5 });
      expect(scan.verdict).toBe("clean");
      expect(scan.records.map(({ record }) => record)).toEqual(records);
      expect(scan.records.map(({ lsn }) => lsn)).toEqual([1, 2, 3, 4, 5]);
      expect(scan.endOffset).toBe(segment.length);
      expect(scan.nextLsn).toBe(6);
    }
  });

  test("a log goes on after a scan", () => {
    const scan = scanSegment(segment, expected);
    const { frame } = encodeFrame(scan.nextLsn, scan.link, vote);
    const longer = new Uint8Array(segment.length + frame.length);
    longer.set(segment);
    longer.set(frame, scan.endOffset);
    const again = scanSegment(longer, { ...expected, acknowledgedLsn: 6 });
    expect(again.verdict).toBe("clean");
    expect(again.records).toHaveLength(6);
  });

  test("known bug 53: truncated at every offset: a prefix of the records, and never silently too few", () => {
    for (let length = 0; length < segment.length; length++) {
      const cut = segment.slice(0, length);
      const whole = ends.filter((end) => end <= length).length - 1;
      const scan = scanSegment(cut, expected);
      expect(scan.records.map(({ record }) => record)).toEqual(
        records.slice(0, Math.max(whole, 0)),
      );
      const rest = cut.slice(scan.endOffset);
      // The first bytes of a frame's length are zeros, as is room laid out in advance.
      const looksEmpty = length >= SEGMENT_HEADER_BYTES && rest.every((byte) => byte === 0);
      expect(scan.verdict).toBe(looksEmpty ? "clean" : "torn-tail");
      expect(rest.length < 4 || !looksEmpty).toBe(true);
      expect(scanSegment(cut, { ...expected, acknowledgedLsn: 5 }).verdict).toBe("damaged");
      if (whole >= 0) {
        const known = { ...expected, acknowledgedLsn: whole };
        expect(scanSegment(cut, known).verdict).not.toBe("damaged");
      }
    }
  });

  test("a flip of every byte is noticed: damage before the last frame, torn tail in it", () => {
    const lastFrame = ends.at(-2) ?? 0;
    for (let at = 0; at < segment.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const bad = segment.slice();
        bad[at] = (bad[at] ?? 0) ^ mask;
        const scan = scanSegment(bad, expected);
        const intact = Math.max(ends.filter((end) => end <= at).length - 1, 0);
        expect(scan.records.map(({ record }) => record)).toEqual(records.slice(0, intact));
        expect(scan.verdict).toBe(at >= lastFrame ? "torn-tail" : "damaged");
        expect(scanSegment(bad, { ...expected, acknowledgedLsn: 5 }).verdict).toBe("damaged");
      }
    }
  });

  test("a frame taken out, doubled or moved breaks the chain", () => {
    const frames = ends.slice(1).map((end, at) => segment.slice(ends[at], end));
    const header = segment.slice(0, SEGMENT_HEADER_BYTES);
    const join = (order: readonly number[]) =>
      Uint8Array.from([header, ...order.map((at) => frames[at] ?? header)].flatMap((b) => [...b]));
    expect(scanSegment(join([0, 2, 3, 4]), expected).verdict).toBe("damaged");
    expect(scanSegment(join([1, 0, 2, 3, 4]), expected).verdict).toBe("damaged");
    expect(scanSegment(join([0, 1, 2, 3, 3, 4]), expected).verdict).toBe("damaged");
    expect(scanSegment(join([0, 1, 2, 3, 4, 4]), expected).records).toHaveLength(5);
  });

  test("a log of another key, chain or lsn is refused", () => {
    const others = [
      { ...expected, identity: voteLogIdentity(filled(9), new Uint8Array(65).fill(4)) },
      { ...expected, identity: voteLogIdentity(filled(1), new Uint8Array(65).fill(5)) },
      { ...expected, firstLsn: 2 },
      { ...expected, previousLink: new Uint8Array(8).fill(1) },
    ];
    for (const other of others) {
      const scan = scanSegment(segment, other);
      expect(scan.verdict).toBe("damaged");
      expect(scan.records).toEqual([]);
    }
  });

  test("a sealed segment must end cleanly", () => {
    const cut = segment.slice(0, segment.length - 1);
    expect(scanSegment(cut, { ...expected, isSealed: true }).verdict).toBe("damaged");
    expect(scanSegment(segment, { ...expected, isSealed: true }).verdict).toBe("clean");
  });

  test("segment names sort as their numbers and read back", () => {
    const numbers = [1, 15, 16, 255, 4096, 2 ** 40];
    expect(numbers.map(segmentName).toSorted()).toEqual(numbers.map(segmentName));
    expect(numbers.map((n) => parseSegmentName(segmentName(n)))).toEqual(numbers);
    expect(parseSegmentName("votes-1.log")).toBe(null);
  });

  test("golden bytes of a header and a frame", () => {
    const header = encodeSegmentHeader(identity, 1);
    const { frame, link } = encodeFrame(1, headerLink(header), vote);
    expect(header).toHaveLength(SEGMENT_HEADER_BYTES);
    expect(frame.length).toBeGreaterThan(FRAME_OVERHEAD_BYTES);
    expect(toHex(header)).toMatchSnapshot();
    expect(toHex(frame)).toMatchSnapshot();
    expect(toHex(link)).toMatchSnapshot();
  });
});

const vote: VoteRecord = {
  type: "prepare-voted",
  height: h,
  view: view(0),
  digest: digest(new Uint8Array(32).fill(2)),
};
