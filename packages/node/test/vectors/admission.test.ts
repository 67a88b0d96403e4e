import { digest, encode, toHex } from "@credlink/primitives";
import { expect, test } from "vitest";
import {
  type AdmissionMessage,
  admissionMessageCodec,
  admissionSigningMessage,
} from "../../src/p2p/admission-messages.ts";

const bytesOf = (message: AdmissionMessage): string =>
  toHex(encode(admissionMessageCodec, message));

test("golden bytes of the handshake's messages", () => {
  const hello: AdmissionMessage = {
    type: "hello",
    version: 2,
    chainId: "chain",
    genesisDigest: digest(new Uint8Array(32).fill(0xaa)),
    peerId: "12D3",
    nonce: new Uint8Array(32).fill(0xbb),
    certificates: [Uint8Array.of(0x30, 0x00)],
    addresses: ["/ip4/10.0.0.1/tcp/1"],
  };
  expect(bytesOf(hello)).toBe(
    `980002a5636861696ec420${"aa".repeat(32)}a431324433c420${"bb".repeat(32)}91c4023000` +
      "91b32f6970342f31302e302e302e312f7463702f31",
  );
  const proof: AdmissionMessage = {
    type: "proof",
    sessionHash: new Uint8Array(32).fill(0xdd),
    signature: new Uint8Array(64).fill(0xcc),
  };
  expect(bytesOf(proof)).toBe(`9301c420${"dd".repeat(32)}c440${"cc".repeat(64)}`);
  expect(bytesOf({ type: "verdict", code: "" })).toBe("9202a0");
});

test("golden bytes of what a proof signs", () => {
  const message = admissionSigningMessage({
    chainId: "chain",
    genesisDigest: digest(new Uint8Array(32).fill(0xaa)),
    signerRole: "dialer",
    signerPeerId: "A",
    otherPeerId: "B",
    dialerNonce: new Uint8Array(32).fill(1),
    listenerNonce: new Uint8Array(32).fill(2),
    sessionHash: new Uint8Array(32).fill(3),
  });
  const domain = toHex(new TextEncoder().encode("credlink/admission/2"));
  expect(toHex(message)).toBe(
    `14${domain}98a5636861696ec420${"aa".repeat(32)}a66469616c6572a141a142` +
      `c420${"01".repeat(32)}c420${"02".repeat(32)}c420${"03".repeat(32)}`,
  );
});
