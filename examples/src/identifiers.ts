import { creditCodeCheck, identityNumberCheck, luhnCheck } from "@credlink/contracts";
import { invariant } from "@credlink/primitives";
import type { ExampleRandom } from "./random.ts";

/** District codes of GB/T 2260: Shenzhen, Guangzhou, Dongguan, Hangzhou, Chengdu, Wuhan. */
const DISTRICTS = [
  "440304",
  "440305",
  "440306",
  "440106",
  "441900",
  "330106",
  "510107",
  "420106",
] as const;

/** Issuer numbers of real debit cards' first six digits. */
const CARD_ISSUERS = [
  ["622202", "中国工商银行"],
  ["621700", "中国建设银行"],
  ["621661", "中国银行"],
  ["622848", "中国农业银行"],
  ["621483", "招商银行"],
] as const;

function checked(check: string | null): string {
  invariant(check !== null, "the body has only characters of its alphabet");
  return check;
}

/** A unified social credit code of an enterprise in Shenzhen, with a valid check character. */
export function makeCreditCode(random: ExampleRandom): string {
  const body = `91${random.pick(DISTRICTS.slice(0, 3))}MA5${random.pick([..."EFGH"])}${random.digits(5)}`;
  return body + checked(creditCodeCheck(body));
}

function identityNumber(
  district: string,
  born: { readonly year: number; readonly month: number; readonly day: number },
  sequence: number,
): string {
  const date = `${born.year}${pad(born.month, 2)}${pad(born.day, 2)}`;
  const body = `${district}${date}${pad(sequence, 3)}`;
  return body + checked(identityNumberCheck(body));
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, "0");
}

/** A citizen identity number of somebody between 20 and 57 years old, with a valid check. */
export function makeIdentityNumber(random: ExampleRandom): string {
  const born = {
    year: random.between(1969, 2005),
    month: random.between(1, 12),
    day: random.between(1, 28),
  };
  return identityNumber(random.pick(DISTRICTS), born, random.integer(1_000));
}

/** The citizen identity number of a count: no two of the first 99 million are equal. */
export function numberedIdentityNumber(count: number): string {
  let rest = count;
  const take = (size: number): number => {
    const digit = rest % size;
    rest = Math.floor(rest / size);
    return digit;
  };
  const sequence = take(1_000);
  const born = { day: 1 + take(28), month: 1 + take(12), year: 1969 + take(37) };
  const district = DISTRICTS[rest];
  invariant(district !== undefined, "a count below 99 million");
  return identityNumber(district, born, sequence);
}

/** The mobile number of a count: no two below a thousand million are equal. */
export function numberedMobileNumber(count: number): string {
  return `13${pad(count, 9)}`;
}

/** A debit card of 19 digits with Luhn's check digit, and its bank. */
export function makeBankCard(random: ExampleRandom): { number: string; bank: string } {
  const [issuer, bank] = random.pick(CARD_ISSUERS);
  const body = `${issuer}${random.digits(12)}`;
  return { number: body + checked(luhnCheck(body)), bank };
}

/** A mobile number of a prefix in use. */
export function makeMobileNumber(random: ExampleRandom): string {
  return random.pick(["138", "139", "150", "158", "176", "186", "189", "199"]) + random.digits(8);
}

/** A fully digital invoice's number: year, region (Shenzhen), and a sequence, 20 digits. */
export function makeInvoiceNumber(random: ExampleRandom, year: number): string {
  return `${String(year).slice(2)}9520${random.digits(14)}`;
}
