import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  hash,
  pbkdf2Sync,
  randomBytes,
} from "node:crypto";
import type { Platform, Sm3, Sm4CbcInput, Sm4CtrInput } from "../platform.ts";
import { MAX_SHORT_BYTES, sm3OfParts } from "../pure/sm3.ts";
import { openSigningKey, signWithOpenssl } from "./sm2.ts";
import { verifier } from "./verifier.ts";

const NONE: readonly Uint8Array[] = [];

/** The same memory as a plain Uint8Array: a Buffer must not leave this package. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

function run(cipher: { update(data: Uint8Array): Buffer; final(): Buffer }, data: Uint8Array) {
  const head = cipher.update(data);
  const tail = cipher.final();
  const output = new Uint8Array(head.length + tail.length);
  output.set(head);
  output.set(tail, head.length);
  return output;
}

class OpensslSm3 implements Sm3 {
  readonly #hash = createHash("sm3");

  update(data: Uint8Array): this {
    this.#hash.update(data);
    return this;
  }

  digest(): Uint8Array {
    return plain(this.#hash.digest());
  }
}

/** SM2, SM3 and SM4 by the OpenSSL inside Node; SM3 of short messages by our own code. */
export const nodePlatform: Platform = {
  sm3: (data) =>
    data.length <= MAX_SHORT_BYTES ? sm3OfParts(data, NONE) : plain(hash("sm3", data, "buffer")),
  createSm3: () => new OpensslSm3(),
  hmacSm3: (key, data) => plain(createHmac("sm3", key).update(data).digest()),
  pbkdf2HmacSm3: (password, salt, iterations, lengthBytes) =>
    plain(pbkdf2Sync(password, salt, iterations, lengthBytes, "sm3")),
  randomBytes: (length) => plain(randomBytes(length)),
  sm4EncryptBlock: (key, block) =>
    run(createCipheriv("sm4-ecb", key, null).setAutoPadding(false), block),
  sm4CbcEncrypt: ({ key, iv, data }: Sm4CbcInput) => run(createCipheriv("sm4-cbc", key, iv), data),
  sm4CbcDecrypt: ({ key, iv, data }: Sm4CbcInput) => {
    try {
      return run(createDecipheriv("sm4-cbc", key, iv), data);
    } catch {
      // OpenSSL fails here for one reason only: the last block is not padded as PKCS#7 wants it.
      return undefined;
    }
  },
  sm4Ctr: ({ key, counter, data }: Sm4CtrInput) =>
    run(createCipheriv("sm4-ctr", key, counter), data),
  sm2PublicKey: (privateKey) => {
    const exchange = createECDH("SM2");
    exchange.setPrivateKey(privateKey);
    return plain(exchange.getPublicKey());
  },
  sm2Sign: signWithOpenssl,
  sm2SignWith: openSigningKey,
  sm2Verify: verifier.verify,
};
