import { toHex } from "@credlink/primitives";
import { sm2 as smCrypto } from "sm-crypto";
import { describe, expect, test } from "vitest";
import * as browser from "../../src/browser.ts";
import * as node from "../../src/index.ts";
import { edgeCases, randomCases, shortPrivateKeys } from "../support/cases.ts";
import { describeCase, nobleVerify, smCryptoVerify } from "../support/oracle.ts";

describe("S-9.6-1: every implementation gives the same answer", () => {
  const cases = edgeCases();

  test("known bug 66: on at least 200 edge cases: both doors, noble and sm-crypto", () => {
    expect(cases.length).toBeGreaterThanOrEqual(200);
    let good = 0;
    for (const question of cases) {
      const answer = node.sm2Verify(question.publicKey, question.message, question.signature);
      const { publicKey, message, signature } = question;
      const answers = [
        browser.sm2Verify(publicKey, message, signature),
        nobleVerify(question),
        smCryptoVerify(question),
      ];
      if (answers.some((other) => other !== answer)) {
        throw new Error(`${answer} ${answers}: ${describeCase(question)}`);
      }
      if (answer) good++;
    }
    // The messages of every length and the short numbers are the good ones.
    expect(good).toBe(21);
  });

  test("on 300 random signatures: sm-crypto and the browser door", () => {
    for (const question of randomCases(7, 300, 4)) {
      const { publicKey, message, signature } = question;
      const answer = node.sm2Verify(publicKey, message, signature);
      const answers = [browser.sm2Verify(publicKey, message, signature), smCryptoVerify(question)];
      if (answers.some((other) => other !== answer)) {
        throw new Error(`${answer} ${answers}: ${describeCase(question)}`);
      }
    }
  });

  test("on private keys whose leading zeros were dropped", () => {
    const message = new TextEncoder().encode("short key");
    for (const privateKey of shortPrivateKeys()) {
      const publicKey = node.publicKeyFromPrivate(privateKey);
      const whole = toHex(privateKey).padStart(64, "0");
      expect(toHex(browser.publicKeyFromPrivate(privateKey))).toBe(toHex(publicKey));
      expect(smCrypto.getPublicKeyFromPrivateKey(whole)).toBe(toHex(publicKey));
      for (const door of [node, browser]) {
        const signature = door.sm2Sign(privateKey, message);
        const question = { publicKey, message, signature };
        expect(node.sm2Verify(publicKey, message, signature)).toBe(true);
        expect(nobleVerify(question)).toBe(true);
        expect(smCryptoVerify(question)).toBe(true);
      }
    }
  });

  test("on signatures that sm-crypto makes", () => {
    const { privateKey, publicKey } = node.generateKeyPair();
    for (let i = 0; i < 20; i++) {
      const message = Uint8Array.of(i, 1, 2, 3);
      const hex = smCrypto.doSignature([...message], toHex(privateKey), { hash: true });
      const signature = Uint8Array.from(Buffer.from(hex, "hex"));
      expect(node.sm2Verify(publicKey, message, signature)).toBe(true);
      expect(browser.sm2Verify(publicKey, message, signature)).toBe(true);
    }
  });
});
