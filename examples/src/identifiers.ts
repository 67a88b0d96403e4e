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

/** A citizen identity number of somebody between 20 and 57 years old, with a valid check. */
export function makeIdentityNumber(random: ExampleRandom): string {
  const born = [
    random.between(1969, 2005),
    String(random.between(1, 12)).padStart(2, "0"),
    String(random.between(1, 28)).padStart(2, "0"),
  ].join("");
  const body = `${random.pick(DISTRICTS)}${born}${String(random.integer(1_000)).padStart(3, "0")}`;
  return body + checked(identityNumberCheck(body));
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
