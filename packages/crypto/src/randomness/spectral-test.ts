import { type Bits, ofNormal, type Statistic } from "./statistic.ts";

/** 15: the discrete Fourier test of GM/T 0005-2021, annex A. */

interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

function complex(length: number): Complex {
  return { re: new Float64Array(length), im: new Float64Array(length) };
}

/** cos and −sin of 2πj/length, j < length/2. */
function rootsOfUnity(length: number): Complex {
  const roots = complex(length / 2);
  for (let j = 0; j < length / 2; j++) {
    const angle = (2 * Math.PI * j) / length;
    roots.re[j] = Math.cos(angle);
    roots.im[j] = -Math.sin(angle);
  }
  return roots;
}

function swapInto({ re, im }: Complex, i: number, j: number): void {
  [re[i], re[j]] = [re[j] ?? 0, re[i] ?? 0];
  [im[i], im[j]] = [im[j] ?? 0, im[i] ?? 0];
}

/** In place, for a power of two. @see Cooley & Tukey 1965 */
function transform(values: Complex, roots: Complex): void {
  const { re, im } = values;
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >>> 1;
    for (; (j & bit) !== 0; bit >>>= 1) j ^= bit;
    j ^= bit;
    if (i < j) swapInto(values, i, j);
  }
  for (let half = 1; half < n; half *= 2) {
    const step = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) {
      for (let k = 0, r = 0; k < half; k++, r += step) {
        const a = start + k;
        const b = a + half;
        const wr = roots.re[r] ?? 1;
        const wi = roots.im[r] ?? 0;
        const xr = (re[b] ?? 0) * wr - (im[b] ?? 0) * wi;
        const xi = (re[b] ?? 0) * wi + (im[b] ?? 0) * wr;
        re[b] = (re[a] ?? 0) - xr;
        im[b] = (im[a] ?? 0) - xi;
        re[a] = (re[a] ?? 0) + xr;
        im[a] = (im[a] ?? 0) + xi;
      }
    }
  }
}

/** Squares of the first half of the spectrum of ±1, for a power of two: two reals a complex. */
function powersOfTwo(bits: Bits): Float64Array {
  const n = bits.length;
  const half = n / 2;
  const packed = complex(half);
  for (let i = 0; i < half; i++) {
    packed.re[i] = 2 * (bits[2 * i] ?? 0) - 1;
    packed.im[i] = 2 * (bits[2 * i + 1] ?? 0) - 1;
  }
  const roots = rootsOfUnity(n);
  const halfRoots = {
    re: roots.re.filter((_, j) => j % 2 === 0),
    im: roots.im.filter((_, j) => j % 2 === 0),
  };
  transform(packed, halfRoots);
  const squares = new Float64Array(half);
  const { re, im } = packed;
  for (let j = 0; j < half; j++) {
    const k = (half - j) % half;
    const evenRe = ((re[j] ?? 0) + (re[k] ?? 0)) / 2;
    const evenIm = ((im[j] ?? 0) - (im[k] ?? 0)) / 2;
    const oddRe = ((im[j] ?? 0) + (im[k] ?? 0)) / 2;
    const oddIm = ((re[k] ?? 0) - (re[j] ?? 0)) / 2;
    const wr = roots.re[j] ?? 1;
    const wi = roots.im[j] ?? 0;
    squares[j] = (evenRe + oddRe * wr - oddIm * wi) ** 2 + (evenIm + oddRe * wi + oddIm * wr) ** 2;
  }
  return squares;
}

/** The same for any length, as a convolution with a chirp. @see Bluestein 1970 */
function squaresByChirp(bits: Bits): Float64Array {
  const n = bits.length;
  let size = 2;
  while (size < 2 * n) size *= 2;
  const roots = rootsOfUnity(size);
  const [signal, chirp] = [complex(size), complex(size)];
  for (let i = 0; i < n; i++) {
    // i² modulo 2n, which keeps the angle small.
    const angle = (Math.PI * ((i * i) % (2 * n))) / n;
    const value = 2 * (bits[i] ?? 0) - 1;
    signal.re[i] = value * Math.cos(angle);
    signal.im[i] = -value * Math.sin(angle);
    for (const at of i === 0 ? [0] : [i, size - i]) {
      chirp.re[at] = Math.cos(angle);
      chirp.im[at] = Math.sin(angle);
    }
  }
  transform(signal, roots);
  transform(chirp, roots);
  const product = complex(size);
  for (let i = 0; i < size; i++) {
    const [ar, ai] = [signal.re[i] ?? 0, signal.im[i] ?? 0];
    const [br, bi] = [chirp.re[i] ?? 0, chirp.im[i] ?? 0];
    product.re[i] = ar * br - ai * bi;
    // Conjugated: a forward transform then does what a backward one would.
    product.im[i] = -(ar * bi + ai * br);
  }
  transform(product, roots);
  const squares = new Float64Array(Math.floor(n / 2));
  for (let j = 0; j < squares.length; j++) {
    squares[j] = ((product.re[j] ?? 0) / size) ** 2 + ((product.im[j] ?? 0) / size) ** 2;
  }
  return squares;
}

/** How many of the first n/2 amplitudes are below the bound that 95 of 100 keep. */
export function countLowAmplitudes(bits: Bits): number {
  const n = bits.length;
  const isPower = n >= 4 && (n & (n - 1)) === 0;
  const squares = isPower ? powersOfTwo(bits) : squaresByChirp(bits);
  const bound = 2.995732274 * n;
  let low = 0;
  for (const square of squares) if (square < bound) low++;
  return low;
}

/** No frequency stands out. */
export function spectral(bits: Bits): Statistic {
  const n = bits.length;
  const expected = (0.95 * n) / 2;
  return ofNormal((countLowAmplitudes(bits) - expected) / Math.sqrt((0.95 * 0.05 * n) / 3.8));
}
