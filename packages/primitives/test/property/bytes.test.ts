import fc from "fast-check";
import { expect, it } from "vitest";
import { textOfBytes } from "../../src/index.ts";

it("textOfBytes gives a character a byte, and different texts for different bytes", () => {
  const bytes = fc.uint8Array({ maxLength: 400, size: "max" });
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const text = textOfBytes(a);
      expect([...a].map((byte) => String.fromCharCode(byte)).join("")).toBe(text);
      expect(textOfBytes(b) === text).toBe(Buffer.compare(a, b) === 0);
      const from = a.length >> 2;
      expect(textOfBytes(a, from, a.length - from)).toBe(text.slice(from, a.length - from));
    }),
  );
});
