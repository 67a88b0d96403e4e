import { openAgreementKey, publicKeyFromPrivate, sm3 } from "@credlink/crypto";
import { concatBytes, toHex, utf8 } from "@credlink/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CipherState, LAST_NONCE, REKEY_AFTER_MESSAGES } from "../../../src/p2p/gm/cipher-state.ts";
import { gmPrimitives } from "../../../src/p2p/gm/gm-primitives.ts";
import { gmPrologue } from "../../../src/p2p/gm/gm-suite.ts";
import { Initiator, Responder } from "../../../src/p2p/gm/xx-handshake.ts";
import { inputs, NOTHING, shakeHands } from "../../support/noise-pair.ts";

const payloads = [utf8("of the listener"), utf8("of the dialer")] as const;

function codeOf(run: () => unknown): string {
  try {
    run();
    return "nothing";
  } catch (error) {
    if (error instanceof Error && "code" in error) return String(error.code);
    throw error;
  }
}

const keyOf = (byte: number) => {
  const privateKey = new Uint8Array(32).fill(byte);
  return openAgreementKey(privateKey, publicKeyFromPrivate(privateKey));
};

describe("S-8.4-11: XX over SM2, SM4-GCM and SM3", () => {
  test("both ends have the same keys and hash, each other's static keys and payloads", () => {
    const [dialer, listener] = [inputs(), inputs()];
    const done = shakeHands(dialer, listener, payloads);
    expect(done.payloads.map(toHex)).toEqual(payloads.map(toHex));
    expect(toHex(done.dialer.hash)).toBe(toHex(done.listener.hash));
    const [listenerKey, dialerKey] = done.remoteStatics;
    expect(toHex(listenerKey)).toBe(toHex(listener.staticKey.publicKey));
    expect(toHex(dialerKey)).toBe(toHex(dialer.staticKey.publicKey));
    for (let i = 0; i < 3; i++) {
      const there = Uint8Array.of(i, 1);
      const back = Uint8Array.of(i, 2);
      expect(done.listener.receive.open(done.dialer.send.seal(there))).toEqual(there);
      expect(done.dialer.receive.open(done.listener.send.seal(back))).toEqual(back);
    }
  });

  test("the same static keys give another session each time", () => {
    const [dialer, listener] = [inputs(), inputs()];
    const hashes = [0, 1].map(() => toHex(shakeHands(dialer, listener, payloads).dialer.hash));
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  test("golden bytes: keys of 1, 2, 3 and 4 in every place", () => {
    const done = shakeHands(
      inputs({ staticKey: keyOf(1), ephemeralKey: keyOf(2) }),
      inputs({ staticKey: keyOf(3), ephemeralKey: keyOf(4) }),
      payloads,
    );
    const seen = {
      prologue: toHex(gmPrologue("test-chain")),
      messages: toHex(sm3(concatBytes(...done.messages))),
      lengths: done.messages.map(({ length }) => length),
      hash: toHex(done.dialer.hash),
      record: toHex(done.dialer.send.seal(utf8("record"))),
    };
    expect(seen).toMatchInlineSnapshot(`
      {
        "hash": "be2c2c60535d86474aa8557fc00e4472014a2d7f95fa9aa30c548142fe2a1e93",
        "lengths": [
          65,
          177,
          110,
        ],
        "messages": "c5151591aef10d6820f72426988970ea537a60b37bc1c403050a041c1400ec9b",
        "prologue": "92b82f637265646c696e6b2f61646d697373696f6e2d676d2f32aa746573742d636861696e",
        "record": "b6f978d28d2f3dbc0842f5f518f285317d0e843b92ab",
      }
    `);
  });

  test("no static key and no payload travels in clear", () => {
    const [dialer, listener] = [inputs(), inputs()];
    const wire = toHex(concatBytes(...shakeHands(dialer, listener, payloads).messages));
    for (const { staticKey } of [dialer, listener]) {
      expect(wire).not.toContain(toHex(staticKey.publicKey.subarray(1)));
    }
    for (const payload of payloads) expect(wire).not.toContain(toHex(payload));
  });

  test("another chain's prologue, and nothing decrypts", () => {
    const other = inputs({ prologue: gmPrologue("other-chain") });
    expect(codeOf(() => shakeHands(inputs(), other, payloads))).toBe(
      "NODE_ADMISSION_CHANNEL_BROKEN",
    );
  });

  test("any changed, cut or lengthened message ends the handshake", () => {
    const [dialer, listener] = [inputs(), inputs()];
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 }),
        fc.constantFrom("flip", "cut", "add"),
        fc.nat(),
        (index, how, at) => {
          const meddle = (message: Uint8Array, i: number): Uint8Array => {
            if (i !== index) return message;
            if (how === "cut") return message.subarray(0, at % message.length);
            if (how === "add") return concatBytes(message, Uint8Array.of(at & 255));
            const changed = message.slice();
            const place = at % changed.length;
            changed[place] = (changed[place] ?? 0) ^ (1 << (at & 7));
            return changed;
          };
          expect(codeOf(() => shakeHands(dialer, listener, payloads, meddle))).toBe(
            "NODE_ADMISSION_CHANNEL_BROKEN",
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test("arbitrary bytes in place of any message are refused, never another throw", () => {
    const listener = inputs();
    const dialer = inputs();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const initiator = new Initiator(dialer);
        initiator.writeFirst();
        expect(codeOf(() => initiator.readSecond(bytes))).toBe("NODE_ADMISSION_CHANNEL_BROKEN");
        const responder = new Responder(listener);
        expect(
          codeOf(() => {
            responder.readFirst(bytes);
            responder.writeSecond(NOTHING);
          }),
        ).toBe("NODE_ADMISSION_CHANNEL_BROKEN");
      }),
      { numRuns: 60 },
    );
  });

  test("an ephemeral key off the curve is refused, whatever form it has", () => {
    const off = new Uint8Array(65).fill(1);
    off[0] = 4;
    for (const bad of [off, new Uint8Array(65)]) {
      const responder = new Responder(inputs());
      responder.readFirst(bad);
      expect(codeOf(() => responder.writeSecond(NOTHING))).toBe("NODE_ADMISSION_CHANNEL_BROKEN");
    }
  });
});

describe("S-9.5-1b: records of a session", () => {
  const pair = (nonce = 0) => {
    const key = new Uint8Array(32).fill(9);
    return [
      new CipherState(gmPrimitives, key, nonce),
      new CipherState(gmPrimitives, key, nonce),
    ] as const;
  };

  test("lost, doubled, reordered and altered ones do not decrypt", () => {
    const broken = "NODE_ADMISSION_CHANNEL_BROKEN";
    const records = (send: CipherState) => [1, 2, 3].map((i) => send.seal(Uint8Array.of(i)));
    for (const order of [[1], [0, 0], [1, 0], [0, 2]]) {
      const [send, receive] = pair();
      const sealed = records(send);
      expect(codeOf(() => order.map((i) => receive.open(sealed[i] ?? NOTHING)))).toBe(broken);
    }
    const [send, receive] = pair();
    const [first = NOTHING] = records(send);
    expect(codeOf(() => receive.open(first.map((byte) => byte ^ 128)))).toBe(broken);
    expect(codeOf(() => receive.open(NOTHING))).toBe(broken);
    expect(receive.open(first)).toEqual(Uint8Array.of(1));
  });

  test("both ends take the next key after 2^20 messages, and the old one opens nothing more", () => {
    const [send, receive] = pair(REKEY_AFTER_MESSAGES - 2);
    for (let i = 0; i < 4; i++) {
      expect(receive.open(send.seal(Uint8Array.of(i)))).toEqual(Uint8Array.of(i));
    }
    const [before] = pair(REKEY_AFTER_MESSAGES + 1);
    const [renewed] = pair(REKEY_AFTER_MESSAGES);
    renewed.seal(Uint8Array.of(0));
    const zero = Uint8Array.of(0);
    expect(toHex(before.seal(zero))).not.toBe(toHex(renewed.seal(zero)));
  });

  test("the last nonce is used, and no one after it", () => {
    const [send, receive] = pair(LAST_NONCE - 1);
    expect(receive.open(send.seal(Uint8Array.of(7)))).toEqual(Uint8Array.of(7));
    for (const run of [() => send.seal(NOTHING), () => receive.open(NOTHING)]) {
      expect(codeOf(run)).toBe("NODE_ADMISSION_CHANNEL_EXHAUSTED");
    }
  });

  test("a wiped key seals and opens nothing", () => {
    const [send, receive] = pair();
    send.wipe();
    receive.wipe();
    expect(codeOf(() => send.seal(NOTHING))).toBe("NODE_ADMISSION_ABORTED");
    expect(codeOf(() => receive.open(NOTHING))).toBe("NODE_ADMISSION_ABORTED");
  });
});
