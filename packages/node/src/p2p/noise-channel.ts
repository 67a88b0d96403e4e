import { noise } from "@chainsafe/libp2p-noise";
import { defaultCrypto } from "@chainsafe/libp2p-noise/crypto";
import type {
  ConnectionEncrypter,
  MessageStream,
  SecureConnectionOptions,
  SecuredConnection,
} from "@libp2p/interface";
import { ADMISSION_PROTOCOL } from "./admission-messages.ts";
import { refusedByUs } from "./handshake-channel.ts";
import {
  type EncrypterComponents,
  SESSION_HASH_BYTES,
  type SecuredSession,
  type TransportSuite,
} from "./secure-channel.ts";

type Secure = (
  connection: MessageStream,
  options?: SecureConnectionOptions,
) => Promise<SecuredConnection>;

/**
 * Noise for one connection. The library keeps the handshake hash to itself, but takes the digest
 * from outside: what it hashes last is `h` after the third message, for MixHash is the only use
 * that it makes of the digest, and Split makes none.
 */
async function secureOnce(
  components: EncrypterComponents,
  run: (encrypter: ConnectionEncrypter) => Secure,
  connection: MessageStream,
  options: SecureConnectionOptions | undefined,
): Promise<SecuredSession> {
  let sessionHash = new Uint8Array(0);
  const crypto: typeof defaultCrypto = {
    ...defaultCrypto,
    hashSHA256(data) {
      const digest = defaultCrypto.hashSHA256(data);
      sessionHash = Uint8Array.from(digest);
      return digest;
    },
  };
  const encrypter = noise({ crypto })(components);
  const secured = await run(encrypter)(connection, options);
  if (sessionHash.length !== SESSION_HASH_BYTES) {
    throw refusedByUs("NODE_ADMISSION_ABORTED", "noise gave no session hash");
  }
  return { secured, sessionHash };
}

/** Noise XX as libp2p does it: X25519, ChaCha20-Poly1305, SHA-256. */
export const noiseSuite: TransportSuite = {
  protocol: ADMISSION_PROTOCOL,
  create: (components) => ({
    secureInbound: (connection, options) =>
      secureOnce(components, (each) => each.secureInbound.bind(each), connection, options),
    secureOutbound: (connection, options) =>
      secureOnce(components, (each) => each.secureOutbound.bind(each), connection, options),
  }),
};
