import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { codeOf, doors } from "../support/doors.ts";

/** Made with OpenSSL 3: the same name under algorithms that are not on the list. */
const folder = join(import.meta.dirname, "x509-refused");
const files = readdirSync(folder).sort();

test("S-9.5-1, T-4.6.1-3: certificates under MD5, SHA-1, RSA and P-256 are refused by their algorithm", () => {
  expect(files).toEqual([
    "md5-rsa1024.crt",
    "sha1-rsa2048.crt",
    "sha256-p256.crt",
    "sha256-rsa2048.crt",
  ]);
  for (const [, door] of doors) {
    for (const file of files) {
      const refused = door.parseCertificate(readFileSync(join(folder, file), "utf8"));
      expect(codeOf(refused), file).toBe("CRYPTO_CERTIFICATE_ALGORITHM");
    }
  }
});
