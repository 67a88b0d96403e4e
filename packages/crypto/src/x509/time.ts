import { utf8 } from "@credlink/primitives";
import { DER_TAG, type DerReader, derElement, derText } from "../der.ts";
import { CryptoError } from "../errors.ts";

/** Times of certificates: whole seconds, UTC, `Z` at the end. @see RFC 5280 §4.1.2.5 */

const FORM = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

function malformed(): CryptoError {
  return new CryptoError("CRYPTO_DER_MALFORMED", "time");
}

/** Milliseconds since 1970 of `YYYYMMDDHHMMSSZ`. */
function parseTime(text: string): number {
  const [, ...parts] = FORM.exec(text) ?? [];
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  const timeMs = Date.UTC(year, month - 1, day, hour, minute, second);
  // Date.UTC carries 31 February over into March: then the text does not come back.
  if (parts.length === 0 || timeText(timeMs) !== text) throw malformed();
  return timeMs;
}

function timeText(timeMs: number): string {
  const date = new Date(timeMs);
  if (Number.isNaN(date.getTime())) throw malformed();
  return `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
}

/**
 * Reads UTCTime (years 1950 to 2049) or GeneralizedTime into milliseconds since 1970.
 * GeneralizedTime before 2050 is read too: GmSSL writes revocation dates so.
 * @throws CryptoError CRYPTO_DER_MALFORMED
 */
export function readTime(reader: DerReader): number {
  const { tag, content } = reader.read();
  const text = derText(content);
  if (tag === DER_TAG.generalizedTime) return parseTime(text);
  if (tag !== DER_TAG.utcTime || text.length !== 13) throw malformed();
  return parseTime(`${text < "5" ? "20" : "19"}${text}`);
}

/** Milliseconds since 1970 as UTCTime up to 2049, as GeneralizedTime after. */
export function encodeTime(timeMs: number): Uint8Array {
  const text = timeText(timeMs);
  const isShort = text >= "1950" && text < "2050";
  return isShort
    ? derElement(DER_TAG.utcTime, utf8(text.slice(2)))
    : derElement(DER_TAG.generalizedTime, utf8(text));
}
