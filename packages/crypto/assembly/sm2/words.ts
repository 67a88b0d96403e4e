/*
 * Numbers below 2^256 as four words of 64 bits, least first, and the scalars among them: modulo the
 * order n of the curve's group.
 */

/** n, ⌊n / 2⌋ and p − n as words, least first. */
export const N_WORDS = memory.data<u64>([
  0x53bbf40939d54123, 0x7203df6b21c6052b, 0xffffffffffffffff, 0xfffffffeffffffff,
]);
const HALF_N = memory.data<u64>([
  0xa9ddfa049ceaa091, 0xb901efb590e30295, 0xffffffffffffffff, 0x7fffffff7fffffff,
]);
const P_LESS_N = memory.data<u64>([0xac440bf6c62abedc, 0x8dfc2093de39fad5, 0, 0]);

/** Windows of eight bits in a scalar, and so digits of `windowDigits`. */
export const WINDOWS: i32 = 32;
/** Most digits of `sparseDigits`. */
export const SPARSE_DIGITS: i32 = 257;

/** Words of 32 big-endian bytes. */
export function loadWords(out: usize, bytes: usize): void {
  for (let i: usize = 0; i < 32; i += 8) {
    store<u64>(out + i, bswap<u64>(load<u64>(bytes + 24 - i)));
  }
}

export function isBelow(a: usize, b: usize): bool {
  for (let i: usize = 32; i > 0; i -= 8) {
    const left = load<u64>(a + i - 8);
    const right = load<u64>(b + i - 8);
    if (left != right) return left < right;
  }
  return false;
}

export function isZeroWords(a: usize): bool {
  return (load<u64>(a) | load<u64>(a, 8) | load<u64>(a, 16) | load<u64>(a, 24)) == 0;
}

/** out = a + b modulo 2^256. @returns the carry. */
export function addWords(out: usize, a: usize, b: usize): u64 {
  let carry: u64 = 0;
  for (let i: usize = 0; i < 32; i += 8) {
    const left = load<u64>(a + i);
    const partial = left + load<u64>(b + i);
    const sum = partial + carry;
    carry = <u64>(partial < left) | <u64>(sum < partial);
    store<u64>(out + i, sum);
  }
  return carry;
}

/** out = a − b modulo 2^256. @returns the borrow. */
export function subtractWords(out: usize, a: usize, b: usize): u64 {
  let borrow: u64 = 0;
  for (let i: usize = 0; i < 32; i += 8) {
    const left = load<u64>(a + i);
    const right = load<u64>(b + i);
    const partial = left - right;
    store<u64>(out + i, partial - borrow);
    borrow = <u64>(left < right) | <u64>(partial < borrow);
  }
  return borrow;
}

/** Whether 1 ≤ a < n. */
export function isScalar(a: usize): bool {
  return !isZeroWords(a) && isBelow(a, N_WORDS);
}

/** out = a + b modulo n, of two scalars. */
export function addScalars(out: usize, a: usize, b: usize): void {
  const carry = addWords(out, a, b);
  if (carry != 0 || !isBelow(out, N_WORDS)) subtractWords(out, out, N_WORDS);
}

/** out = a − b modulo n, of a scalar and any number below 2^256, which is below 2n. */
export function subtractFromScalar(out: usize, a: usize, b: usize): void {
  if (subtractWords(out, a, b) == 0) return;
  // From −2^256 to −1: one n brings it above 0, or two.
  if (addWords(out, out, N_WORDS) == 0) addWords(out, out, N_WORDS);
}

/**
 * out = a + n for a scalar with a + n < p: the other x of the field that is a modulo n.
 * @returns whether there is one.
 */
export function otherCandidate(out: usize, a: usize): bool {
  if (!isBelow(a, P_LESS_N)) return false;
  addWords(out, a, N_WORDS);
  return true;
}

const positive = memory.data(32, 8);

/** The smaller of k and n − k into `positive`. @returns whether it is n − k. */
function takeSmaller(k: usize): bool {
  const isLarge = isBelow(HALF_N, k);
  if (isLarge) subtractWords(positive, N_WORDS, k);
  else memory.copy(positive, k, 32);
  return isLarge;
}

/** k = Σ digit[w] · 2^(8w): 32 digits from −128 to 128, as i16. */
export function windowDigits(out: usize, k: usize): void {
  const sign: i32 = takeSmaller(k) ? -1 : 1;
  let carry: i32 = 0;
  for (let w: usize = 0; w < <usize>WINDOWS; w++) {
    let digit = <i32>load<u8>(positive + w) + carry;
    carry = digit > 128 ? 1 : 0;
    digit -= carry << 8;
    store<i16>(out + (w << 1), <i16>(sign * digit));
  }
}

/**
 * k = Σ digit[i] · 2^i: odd digits from −15 to 15 at least five places apart, else 0, as i8.
 * @returns how many there are. @see Hankerson, Menezes, Vanstone 2004, algorithm 3.35
 */
export function sparseDigits(out: usize, k: usize): i32 {
  const sign: i32 = takeSmaller(k) ? -1 : 1;
  let count = 0;
  while (!isZeroWords(positive)) {
    let digit: i32 = 0;
    const low = load<u64>(positive);
    if ((low & 1) != 0) {
      digit = <i32>(low & 31);
      if (digit > 15) digit -= 32;
      addSmall(<i64>-digit);
    }
    store<i8>(out + count, <i8>(sign * digit));
    count++;
    halve();
  }
  return count;
}

/** Adds a small number to `positive`, which stays from 0 to 2^255. */
function addSmall(value: i64): void {
  let carry = value;
  for (let i: usize = 0; i < 32 && carry != 0; i += 8) {
    const before = load<u64>(positive + i);
    const after = before + <u64>carry;
    store<u64>(positive + i, after);
    if (carry > 0) carry = after < before ? 1 : 0;
    else carry = after > before ? -1 : 0;
  }
}

function halve(): void {
  for (let i: usize = 0; i < 24; i += 8) {
    store<u64>(positive + i, (load<u64>(positive + i) >> 1) | (load<u64>(positive + i + 8) << 63));
  }
  store<u64>(positive + 24, load<u64>(positive + 24) >> 1);
}
