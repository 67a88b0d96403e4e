import { encode } from "@credlink/primitives";
import type { MessageStream } from "@libp2p/interface";
import fc from "fast-check";
import { expect, test } from "vitest";
import { admissionMessageCodec } from "../../src/p2p/admission-messages.ts";
import { AdmissionError } from "../../src/p2p/errors.ts";
import { encodeFrame } from "../../src/p2p/frames.ts";
import { HandshakeChannel } from "../../src/p2p/handshake-channel.ts";

/** An event target that hands bytes to whoever listens, as a secured stream does. */
function createStream() {
  const target = new EventTarget();
  const state = { returned: new Uint8Array(0), aborted: false };
  const stream = Object.assign(target, {
    send: () => true,
    unshift: (bytes: Uint8Array) => {
      state.returned = Uint8Array.from(bytes);
    },
    abort: () => {
      state.aborted = true;
      target.dispatchEvent(new Event("close"));
    },
  }) as unknown as MessageStream;
  const give = (data: Uint8Array) =>
    target.dispatchEvent(Object.assign(new Event("message"), { data }));
  const end = () => target.dispatchEvent(new Event("close"));
  return { stream, give, end, state };
}

const idle = new AbortController().signal;

test("whatever a peer sends is a message or an AdmissionError, never another throw", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
      async (chunks) => {
        const { stream, give, end } = createStream();
        const channel = new HandshakeChannel(stream, idle);
        for (const chunk of chunks) give(chunk);
        end();
        const outcome: unknown = await channel.receive().catch((error: unknown) => error);
        expect(outcome).toBeInstanceOf(AdmissionError);
        channel.release();
      },
    ),
  );
});

test("a mutated message is refused or decodes to something canonical", async () => {
  const good = encode(admissionMessageCodec, { type: "verdict", code: "NODE_ADMISSION_EXPIRED" });
  const at = fc.integer({ min: 0, max: good.length - 1 });
  await fc.assert(
    fc.asyncProperty(at, fc.integer({ min: 1, max: 255 }), async (index, change) => {
      const bytes = Uint8Array.from(good);
      bytes[index] = (bytes[index] ?? 0) ^ change;
      const { stream, give, end } = createStream();
      const channel = new HandshakeChannel(stream, idle);
      give(encodeFrame(bytes));
      end();
      const outcome: unknown = await channel.receive().catch((error: unknown) => error);
      if (outcome instanceof AdmissionError) expect(outcome.code).toMatch(/MALFORMED|ABORTED/);
      else expect(encode(admissionMessageCodec, outcome as never)).toEqual(bytes);
    }),
  );
});

test("bytes after the last message go back to the stream, for the multiplexer", async () => {
  const { stream, give, state } = createStream();
  const channel = new HandshakeChannel(stream, idle);
  const verdict = encode(admissionMessageCodec, { type: "verdict", code: "" });
  give(Uint8Array.from([...encodeFrame(verdict), 1, 2, 3]));
  expect(await channel.receive()).toEqual({ type: "verdict", code: "" });
  channel.release();
  expect([...state.returned]).toEqual([1, 2, 3]);
});

test("a peer that floods the handshake is cut before it fills memory", () => {
  const { stream, give, state } = createStream();
  new HandshakeChannel(stream, idle);
  for (let i = 0; i < 200 && !state.aborted; i++) give(new Uint8Array(1_024));
  expect(state.aborted).toBe(true);
});

test("a deadline ends the wait", async () => {
  const { stream } = createStream();
  const channel = new HandshakeChannel(stream, AbortSignal.timeout(20));
  await expect(channel.receive()).rejects.toMatchObject({
    details: { code: "NODE_ADMISSION_TIMEOUT", by: "us" },
  });
});
