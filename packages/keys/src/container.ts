import { decodePem, encodePem } from "@credlink/crypto";
import { type Codec, encode, tryDecode } from "@credlink/primitives";
import { KeysError, type KeysErrorCode } from "./errors.ts";

/** The files of this package: canonical bytes in PEM, so that they can be mailed and printed. */
export interface Container<T> {
  /** PEM text. */
  write(value: T): string;
  /** @throws KeysError with the container's code for anything else */
  read(text: string): T;
}

const MAX_BYTES = 16 * 1024 * 1024;

/** A kind of file by its PEM label. */
export function createContainer<T>(
  label: string,
  codec: Codec<T>,
  code: KeysErrorCode,
): Container<T> {
  return {
    write: (value) => encodePem(label, encode(codec, value)),
    read(text) {
      let der: Uint8Array;
      try {
        der = decodePem(label, text);
      } catch (cause) {
        throw new KeysError(code, `no block ${label}`, { cause });
      }
      const value = tryDecode(codec, der, { maxBytes: MAX_BYTES });
      if (!value.ok) throw new KeysError(code, `${label}: ${value.code}`);
      return value.value;
    },
  };
}
