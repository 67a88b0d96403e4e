import { equalBytes, textOfBytes } from "@credlink/primitives";

type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/**
 * The same verdicts, with each good signature verified once in this process: all nodes of a run are
 * shown the same. What it is of is compared in full; what does not hold is verified each time.
 */
export function verifyOnce(verify: Verify): Verify {
  const good = new Map<string, { readonly publicKey: Uint8Array; readonly message: Uint8Array }>();
  return (publicKey, message, signature) => {
    const key = textOfBytes(signature);
    const known = good.get(key);
    const isKnown =
      known !== undefined &&
      equalBytes(known.message, message) &&
      equalBytes(known.publicKey, publicKey);
    if (isKnown) return true;
    const holds = verify(publicKey, message, signature);
    if (holds) good.set(key, { publicKey, message });
    return holds;
  };
}
