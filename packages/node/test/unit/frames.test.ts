import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NetworkError } from "../../src/p2p/errors.ts";
import { encodeFrame, FRAME_HEADER_BYTES, FrameDecoder } from "../../src/p2p/frames.ts";

function framesOf(decoder: FrameDecoder): number[][] {
  const frames: number[][] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
    frames.push([...frame]);
  }
  return frames;
}

describe("frames", () => {
  test("length in four bytes, big endian, then the payload", () => {
    expect([...encodeFrame(Uint8Array.of(7, 8))]).toEqual([0, 0, 0, 2, 7, 8]);
    expect([...encodeFrame(new Uint8Array(0))]).toEqual([0, 0, 0, 0]);
  });

  test("however the stream is cut, the same frames come out", () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
    const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(payloads, cuts, (sent, sizes) => {
        const stream = sent.flatMap((payload) => [...encodeFrame(payload)]);
        const decoder = new FrameDecoder(300);
        const got: number[][] = [];
        let turn = 0;
        for (let at = 0; at < stream.length; ) {
          const size = sizes[turn++ % sizes.length] ?? 1;
          decoder.push(Uint8Array.from(stream.slice(at, at + size)));
          at += size;
          got.push(...framesOf(decoder));
        }
        expect(got).toEqual(sent.map((payload) => [...payload]));
        expect(decoder.bufferedBytes).toBe(0);
      }),
    );
  });

  test("a frame of exactly the cap passes, one byte more is refused on its header", () => {
    const decoder = new FrameDecoder(10);
    decoder.push(encodeFrame(new Uint8Array(10).fill(1)));
    expect(framesOf(decoder)).toEqual([Array(10).fill(1)]);
    decoder.push(Uint8Array.of(0, 0, 0, 11));
    expect(() => decoder.next()).toThrow(NetworkError);
  });

  test("an announced length of 4 GiB holds four bytes of memory (known bug: length field)", () => {
    const decoder = new FrameDecoder(0xffff_ffff);
    decoder.push(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    expect(decoder.next()).toBeUndefined();
    expect(decoder.bufferedBytes).toBe(FRAME_HEADER_BYTES);
    const capped = new FrameDecoder(1_000);
    capped.push(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    expect(() => capped.next()).toThrow(
      expect.objectContaining({ details: { code: "NODE_NETWORK_FRAME_TOO_LARGE" } }),
    );
  });

  test("what is left over can be given back", () => {
    const decoder = new FrameDecoder(10);
    decoder.push(Uint8Array.of(...encodeFrame(Uint8Array.of(1)), 9, 9));
    expect(framesOf(decoder)).toEqual([[1]]);
    expect([...decoder.rest()]).toEqual([9, 9]);
    expect(decoder.bufferedBytes).toBe(0);
  });
});
