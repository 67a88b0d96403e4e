import { encode } from "@credlink/primitives";
import { generateKeyPair, publicKeyToProtobuf } from "@libp2p/crypto/keys";
import { expect, test } from "vitest";
import {
  createIdentityPayload,
  identityPayloadCodec,
  judgeIdentityPayload,
} from "../../../src/p2p/gm/identity-payload.ts";

const staticKey = new Uint8Array(65).fill(4);

test("S-8.4-11: a payload proves the peer id whose key signed the static key", async () => {
  const key = await generateKeyPair("Ed25519");
  const peer = await judgeIdentityPayload(
    await createIdentityPayload(key, staticKey),
    staticKey,
    undefined,
  );
  expect(peer.publicKey?.equals(key.publicKey)).toBe(true);
});

test("S-8.4-11: a signature of any other length, and any other key, is refused with a code", async () => {
  const [ed25519, secp256k1] = [
    await generateKeyPair("Ed25519"),
    await generateKeyPair("secp256k1"),
  ];
  for (const key of [ed25519, secp256k1]) {
    const identityKey = publicKeyToProtobuf(key.publicKey);
    for (const length of [0, 1, 63, 64, 65, 72, 256]) {
      const signature = new Uint8Array(length).fill(1);
      const payload = encode(identityPayloadCodec, { identityKey, signature });
      await expect(judgeIdentityPayload(payload, staticKey, undefined)).rejects.toMatchObject({
        code: "NODE_ADMISSION_WRONG_PEER",
      });
    }
  }
});
