import { describe, expect, it } from "vitest";
import {
  identityNumberCheck,
  isBankCardNumber,
  isCreditCode,
  isIdentityNumber,
  isInvoiceNumber,
  isMobileNumber,
  luhnCheck,
  machineReadableCheck,
  passportNumber,
} from "../../src/index.ts";

describe("check digits", () => {
  it("knows published unified social credit codes (GB 32100)", () => {
    // Tencent, Huawei and the example of the standard's annex.
    for (const code of ["9144030071526726XG", "914403001922038216", "91350100M000100Y43"]) {
      expect(isCreditCode(code), code).toBe(true);
    }
  });

  it("refuses a credit code with any one character changed", () => {
    const code = "91350100M000100Y43";
    for (let i = 0; i < code.length; i++) {
      for (const other of "0123456789ABCDEFGHJKLMNPQRTUWXY") {
        if (other === code[i]) continue;
        const changed = code.slice(0, i) + other + code.slice(i + 1);
        expect(isCreditCode(changed), changed).toBe(false);
      }
    }
    expect(isCreditCode("91350100I000100Y43")).toBe(false);
    expect(isCreditCode("91350100M000100Y4")).toBe(false);
  });

  it("knows the identity numbers of GB 11643's annex", () => {
    expect(isIdentityNumber("11010519491231002X")).toBe(true);
    expect(isIdentityNumber("440524188001010014")).toBe(false);
    expect(identityNumberCheck("44052418800101001")).toBe("4");
  });

  it("refuses an identity number with a wrong check, date or length", () => {
    expect(isIdentityNumber("110105194912310021")).toBe(false);
    const body = "11010519490230002";
    expect(isIdentityNumber(body + identityNumberCheck(body))).toBe(false);
    expect(isIdentityNumber("11010519491231002x")).toBe(false);
    expect(isIdentityNumber("11010519491231002")).toBe(false);
  });

  it("knows Luhn's digit of ISO/IEC 7812", () => {
    expect(luhnCheck("7992739871")).toBe("3");
    expect(isBankCardNumber("4111111111111111")).toBe(true);
    expect(isBankCardNumber("4111111111111112")).toBe(false);
    expect(isBankCardNumber("411111111111111")).toBe(false);
  });

  it("knows the form of invoice and mobile numbers", () => {
    expect(isInvoiceNumber("26952000000012345678")).toBe(true);
    expect(isInvoiceNumber("2695200000001234567")).toBe(false);
    expect(isMobileNumber("13800138000")).toBe(true);
    expect(isMobileNumber("12800138000")).toBe(false);
  });

  it("reads passports by their machine-readable line (ICAO 9303 part 4, appendix A)", () => {
    const line = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";
    expect(passportNumber(line)).toBe("L898902C3");
    expect(passportNumber("L898902C36")).toBe("L898902C3");
    expect(machineReadableCheck("520727")).toBe("3");
    expect(machineReadableCheck("AB2134<<<")).toBe("5");
    expect(passportNumber("AB2134<<<5")).toBe("AB2134");
    for (const other of ["L898902C37", "L898902C3", "l898902c36", "", "<<<<<<<<<0", "A<B2134<<"]) {
      expect(passportNumber(other), other).toBeNull();
    }
    // Every place counts but those that no check digit covers: nationality and sex.
    for (let i = 0; i < line.length; i++) {
      if ((i >= 10 && i < 13) || i === 20) continue;
      const value = line.charAt(i) === "<" ? 0 : Number.parseInt(line.charAt(i), 36);
      const changed = line.slice(0, i) + String((value + 1) % 10) + line.slice(i + 1);
      expect(passportNumber(changed), `${i}`).toBeNull();
    }
  });
});
