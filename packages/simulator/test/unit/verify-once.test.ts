import { describe, expect, it } from "vitest";
import { verifyOnce } from "../../src/verify-once.ts";

describe("signatures verified once", () => {
  const [key, other] = [Uint8Array.of(1), Uint8Array.of(2)];
  const message = Uint8Array.of(3);
  const good = Uint8Array.of(4);
  const counted = () => {
    let calls = 0;
    const verify = verifyOnce((publicKey, text, signature) => {
      calls++;
      return publicKey[0] === 1 && text[0] === 3 && signature[0] === 4;
    });
    return { verify, calls: () => calls };
  };

  it("asks once for the same bytes, whatever arrays they are in", () => {
    const { verify, calls } = counted();
    for (let i = 0; i < 3; i++) {
      expect(verify(key.slice(), message.slice(), good.slice())).toBe(true);
    }
    expect(calls()).toBe(1);
  });

  it("asks again for another key or message, and whenever it does not hold", () => {
    const { verify, calls } = counted();
    expect(verify(key, message, good)).toBe(true);
    expect(verify(other, message, good)).toBe(false);
    expect(verify(key, other, good)).toBe(false);
    expect(verify(key, message, other)).toBe(false);
    expect(verify(key, message, other)).toBe(false);
    expect(calls()).toBe(5);
    expect(verify(key, message, good)).toBe(true);
    expect(calls()).toBe(5);
  });
});
