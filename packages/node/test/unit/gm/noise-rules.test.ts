import { createHash, createHmac } from "node:crypto";
import { noise } from "@chainsafe/libp2p-noise";
import { defaultCrypto } from "@chainsafe/libp2p-noise/crypto";
import { concatBytes, toHex, utf8 } from "@credlink/primitives";
import { publicKeyToProtobuf } from "@libp2p/crypto/keys";
import type { MessageStream } from "@libp2p/interface";
import { streamPair } from "@libp2p/utils";
import { describe, expect, test } from "vitest";
import { HandshakeRecords } from "../../../src/p2p/gm/handshake-records.ts";
import type { NoiseKey, NoisePrimitives } from "../../../src/p2p/gm/noise-primitives.ts";
import { createRecordStream } from "../../../src/p2p/gm/record-stream.ts";
import { Initiator, type NoiseSession, Responder } from "../../../src/p2p/gm/xx-handshake.ts";
import { generatePeerKey } from "../../../src/p2p/peer-key.ts";
import { silentComponentLogger } from "../../../src/p2p/silent-logger.ts";

/** The primitives of libp2p's noise: the same state machine must then speak with the library. */
function generateX25519(): NoiseKey {
  const pair = defaultCrypto.generateX25519KeyPair();
  return {
    publicKey: plain(pair.publicKey),
    agree: (other) => plain(defaultCrypto.generateX25519SharedKey(pair.privateKey, other)),
  };
}

function plain(bytes: { subarray(): Uint8Array }): Uint8Array {
  return Uint8Array.from(bytes.subarray());
}

function nonceBytes(nonce: bigint): Uint8Array {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setBigUint64(4, nonce, true);
  return bytes;
}

const libp2pPrimitives: NoisePrimitives = {
  name: "Noise_XX_25519_ChaChaPoly_SHA256",
  publicKeyBytes: 32,
  generateKey: generateX25519,
  hash: (data) => Uint8Array.from(createHash("sha256").update(data).digest()),
  hmac: (key, data) => Uint8Array.from(createHmac("sha256", key).update(data).digest()),
  createCipher: (given) => {
    const key = given.slice();
    return {
      seal: (nonce, data, aad) =>
        plain(defaultCrypto.chaCha20Poly1305Encrypt(data, nonceBytes(nonce), aad, key)),
      open: (nonce, data, aad) =>
        plain(defaultCrypto.chaCha20Poly1305Decrypt(data.slice(), nonceBytes(nonce), aad, key)),
      wipe: () => key.fill(0),
    };
  },
};

const field = (tag: number, bytes: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of((tag << 3) | 2, bytes.length), bytes);

/** Payload of libp2p's noise, as its protobuf. @see libp2p specs, noise/README.md */
async function payloadFor(staticKey: Uint8Array): Promise<Uint8Array> {
  const key = await generatePeerKey();
  const signature = await key.sign(concatBytes(utf8("noise-libp2p-static-key:"), staticKey));
  return concatBytes(field(1, publicKeyToProtobuf(key.publicKey)), field(2, signature));
}

async function libraryOn(stream: MessageStream, side: "secureInbound" | "secureOutbound") {
  const privateKey = await generatePeerKey();
  const upgrader = { getStreamMuxers: () => new Map() };
  const components = { privateKey, logger: silentComponentLogger, upgrader };
  const encrypter = noise()(components as unknown as Parameters<ReturnType<typeof noise>>[0]);
  return encrypter[side](stream, { skipStreamMuxerNegotiation: true });
}

async function echoBothWays(stream: MessageStream, session: NoiseSession, other: MessageStream) {
  const ours = createRecordStream(stream, session, (error) => {
    throw error;
  });
  for (const [from, to] of [
    [ours, other],
    [other, ours],
  ] as const) {
    for (const length of [1, 65_519, 65_520, 200_000]) {
      const sent = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
      const received: Uint8Array[] = [];
      let count = 0;
      const arrived = new Promise<void>((resolve) => {
        const listen = (event: { readonly data: { subarray(): Uint8Array } }): void => {
          received.push(event.data.subarray());
          count += event.data.subarray().length;
          if (count < length) return;
          to.removeEventListener("message", listen);
          resolve();
        };
        to.addEventListener("message", listen);
      });
      from.send(sent);
      await arrived;
      expect(toHex(concatBytes(...received))).toBe(toHex(sent));
    }
  }
}

describe("the state machine keeps the rules of Noise: with X25519 it speaks with libp2p's", () => {
  test("as the initiator", async () => {
    const [here, there] = await streamPair();
    const other = libraryOn(there, "secureInbound");
    const records = new HandshakeRecords(here, undefined);
    const staticKey = generateX25519();
    const side = new Initiator({
      primitives: libp2pPrimitives,
      prologue: new Uint8Array(0),
      staticKey,
    });
    records.send(side.writeFirst());
    expect(side.readSecond(await records.receive()).length).toBeGreaterThan(90);
    records.send(side.writeThird(await payloadFor(staticKey.publicKey)));
    const session = side.finish();
    records.release();
    await echoBothWays(here, session, (await other).connection);
  });

  test("as the responder", async () => {
    const [here, there] = await streamPair();
    const other = libraryOn(there, "secureOutbound");
    const records = new HandshakeRecords(here, undefined);
    const staticKey = generateX25519();
    const side = new Responder({
      primitives: libp2pPrimitives,
      prologue: new Uint8Array(0),
      staticKey,
    });
    side.readFirst(await records.receive());
    records.send(side.writeSecond(await payloadFor(staticKey.publicKey)));
    expect(side.readThird(await records.receive()).length).toBeGreaterThan(90);
    const session = side.finish();
    records.release();
    await echoBothWays(here, session, (await other).connection);
  });
});
