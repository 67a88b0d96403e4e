/*
 * Identifiers whose last digits follow from the others: a typing error is found before anything
 * is signed.
 */

const CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/**
 * Check character of a unified social credit code's first 17 characters, or null when they are
 * not of its alphabet.
 * @see GB 32100-2015 §5: weights 3^i mod 31, character (31 − sum mod 31) mod 31.
 */
export function creditCodeCheck(body: string): string | null {
  if (body.length !== 17) return null;
  let sum = 0;
  let weight = 1;
  for (const character of body) {
    const value = CREDIT_ALPHABET.indexOf(character);
    if (value < 0) return null;
    sum += value * weight;
    weight = (weight * 3) % 31;
  }
  return CREDIT_ALPHABET.charAt((31 - (sum % 31)) % 31);
}

/** Whether this is a unified social credit code (18 characters) with its check character. */
export function isCreditCode(text: string): boolean {
  return text.length === 18 && creditCodeCheck(text.slice(0, 17)) === text.charAt(17);
}

const IDENTITY_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const IDENTITY_CHECKS = "10X98765432";

/**
 * Check character of a citizen identity number's first 17 digits, or null.
 * @see GB 11643-1999 §4: ISO 7064 MOD 11-2.
 */
export function identityNumberCheck(body: string): string | null {
  if (!/^\d{17}$/.test(body)) return null;
  let sum = 0;
  for (const [i, weight] of IDENTITY_WEIGHTS.entries()) sum += Number(body.charAt(i)) * weight;
  return IDENTITY_CHECKS.charAt(sum % 11);
}

function isDate(year: number, month: number, day: number): boolean {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return year >= 1900 && days !== undefined && day >= 1 && day <= days;
}

/** Whether this is a citizen identity number: 17 digits with a date of birth, and its check. */
export function isIdentityNumber(text: string): boolean {
  if (text.length !== 18 || identityNumberCheck(text.slice(0, 17)) !== text.charAt(17)) {
    return false;
  }
  const part = (from: number, to: number): number => Number(text.slice(from, to));
  return isDate(part(6, 10), part(10, 12), part(12, 14));
}

/** Check digit of a card number's other digits, or null. @see ISO/IEC 7812-1 Annex B (Luhn) */
export function luhnCheck(body: string): string | null {
  if (!/^\d+$/.test(body)) return null;
  let sum = 0;
  for (let i = 0; i < body.length; i++) {
    const digit = Number(body.charAt(body.length - 1 - i));
    const doubled = i % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return String((10 - (sum % 10)) % 10);
}

/** Whether this is a bank card number: 16 to 19 digits, the last one Luhn's. */
export function isBankCardNumber(text: string): boolean {
  return /^\d{16,19}$/.test(text) && luhnCheck(text.slice(0, -1)) === text.slice(-1);
}

/** Whether this is a number of a fully digital invoice: 20 digits. */
export function isInvoiceNumber(text: string): boolean {
  return /^\d{20}$/.test(text);
}

/** Whether this is a mobile number of mainland China: 11 digits from 13 to 19. */
export function isMobileNumber(text: string): boolean {
  return /^1[3-9]\d{9}$/.test(text);
}

const MRZ_WEIGHTS = [7, 3, 1];

/**
 * Check digit of a field of a machine-readable zone, or null when it has other characters than
 * A–Z, 0–9 and the filler `<`.
 * @see ICAO Doc 9303 part 3 §4.9
 */
export function machineReadableCheck(field: string): string | null {
  if (!/^[A-Z0-9<]+$/.test(field)) return null;
  let sum = 0;
  for (let i = 0; i < field.length; i++) {
    const character = field.charAt(i);
    const value = character === "<" ? 0 : Number.parseInt(character, 36);
    sum += value * (MRZ_WEIGHTS[i % 3] ?? 0);
  }
  return String(sum % 10);
}

/**
 * The number of a passport, without fillers, or null: from the first ten characters of the second
 * line of its machine-readable zone (number and check digit), or from the whole line of 44, all
 * check digits of which must hold.
 * @see ICAO Doc 9303 part 4 §4.2.2
 */
export function passportNumber(text: string): string | null {
  if (text.length !== 10 && text.length !== 44) return null;
  const field = (from: number, to: number): boolean =>
    machineReadableCheck(text.slice(from, to)) === text.charAt(to);
  if (!field(0, 9)) return null;
  if (text.length === 44) {
    // The personal number is optional: its check digit may then be a filler.
    const personal = text.slice(28, 42);
    const isEmpty = /^<+$/.test(personal) && text.charAt(42) === "<";
    const composite = text.slice(0, 10) + text.slice(13, 20) + text.slice(21, 43);
    const holds =
      field(13, 19) &&
      field(21, 27) &&
      (isEmpty || field(28, 42)) &&
      machineReadableCheck(composite) === text.charAt(43);
    if (!holds) return null;
  }
  const number = text.slice(0, 9).replace(/<+$/, "");
  return number.length >= 5 && !number.includes("<") ? number : null;
}
