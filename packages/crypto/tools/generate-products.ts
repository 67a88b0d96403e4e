/*
 * Writes assembly/sm2/products.ts: products of field elements, unrolled. By hand it would be a
 * thousand lines that differ in their indexes.
 */

/** Limbs of an element, and bits of each: nine times 29, so R = 2^261. */
const LIMBS = 9;
const BITS = 29;

/** Path of the written file, relative to the package. */
export const productsPath = "assembly/sm2/products.ts";

interface Product {
  readonly name: string;
  readonly comment: string;
  /** Names of the pointers behind `out`. */
  readonly inputs: readonly string[];
  /** Limb products of a column. */
  readonly column: (k: number) => readonly string[];
  /** What is taken from limb `i` of the result. */
  readonly less?: (i: number) => readonly string[];
  /** Pairs of inputs that are multiplied. */
  readonly factors?: readonly (readonly [string, string])[];
  /** Inputs of which twice each limb is wanted. */
  readonly doubled?: readonly string[];
}

function pairs(k: number): readonly (readonly [number, number])[] {
  const first = Math.max(0, k - LIMBS + 1);
  const last = Math.min(k, LIMBS - 1);
  return Array.from({ length: last - first + 1 }, (_, i) => [first + i, k - first - i] as const);
}

/**
 * Columns of a · b: a_i·b_j + a_j·b_i is a_i·b_i + a_j·b_j + (a_i − a_j)(b_j − b_i), so 45 products of
 * limbs do where 81 were. The first two come as sums of neighbours. What overflows on the way comes
 * back: all is modulo 2^64. @see Karatsuba, Ofman 1962
 */
const times = (a: string, b: string) => (k: number) => {
  const first = k < LIMBS ? [] : [`- ${a}${b}${k - LIMBS}`];
  const crosses = pairs(k)
    .filter(([i, j]) => i < j)
    .map(([i, j]) => `+ (${a}${i} - ${a}${j}) * (${b}${j} - ${b}${i})`);
  return [`+ ${a}${b}${Math.min(k, LIMBS - 1)}`, ...first, ...crosses];
};

/** Sums of a_i·b_i up to each limb. */
function ownProducts(a: string, b: string): readonly string[] {
  return Array.from({ length: LIMBS }, (_, i) => {
    const before = i === 0 ? "" : `${a}${b}${i - 1} + `;
    return `  const ${a}${b}${i} = ${before}${a}${i} * ${b}${i};`;
  });
}

const negated = (terms: readonly string[]): readonly string[] =>
  terms.map((term) => (term.startsWith("+") ? `-${term.slice(1)}` : `+${term.slice(1)}`));

const squared = (a: string) => (k: number) =>
  pairs(k)
    .filter(([i, j]) => i <= j)
    .map(([i, j]) => (i === j ? `+ ${a}${i} * ${a}${i}` : `+ ${a}${a}${i} * ${a}${j}`));

const products: readonly Product[] = [
  {
    name: "multiply",
    comment: "a · b",
    inputs: ["a", "b"],
    factors: [["a", "b"]],
    column: times("a", "b"),
  },
  {
    name: "multiplyLess",
    comment: "a · b − c",
    inputs: ["a", "b", "c"],
    factors: [["a", "b"]],
    column: times("a", "b"),
    less: (i) => [`c${i}`],
  },
  {
    name: "multiplyBoth",
    comment: "a · b − c · d",
    inputs: ["a", "b", "c", "d"],
    factors: [
      ["a", "b"],
      ["c", "d"],
    ],
    column: (k) => [...times("a", "b")(k), ...negated(times("c", "d")(k))],
    less: () => [],
  },
  {
    name: "square",
    comment: "a²",
    inputs: ["a"],
    column: squared("a"),
    doubled: ["a"],
  },
  {
    name: "squareLess",
    comment: "a² − b − c",
    inputs: ["a", "b", "c"],
    column: squared("a"),
    doubled: ["a"],
    less: (i) => [`b${i}`, `c${i}`],
  },
  {
    name: "squareLessTwice",
    comment: "a² − b − 2c",
    inputs: ["a", "b", "c"],
    column: squared("a"),
    doubled: ["a"],
    less: (i) => [`b${i}`, `(c${i} << 1)`],
  },
  {
    name: "squareLessEight",
    comment: "a² − 8b",
    inputs: ["a", "b"],
    column: squared("a"),
    doubled: ["a"],
    less: (i) => [`(b${i} << 3)`],
  },
];

/**
 * What reduction adds to a column: q·p = q·2^256 − q·2^224 − q·2^96 + q·2^64 − q, where the last
 * clears the limb that q was taken from.
 */
function reduction(k: number): readonly string[] {
  const terms = [
    [k - 2, "+", 6],
    [k - 3, "-", 9],
    [k - 7, "-", 21],
    [k - 8, "+", 24],
  ] as const;
  return terms
    .filter(([i]) => i >= 0 && i < LIMBS)
    .map(([i, sign, shift]) => `${sign} (q${i} << ${shift})`);
}

function loads(pointer: string): readonly string[] {
  return Array.from(
    { length: LIMBS },
    (_, i) => `  const ${pointer}${i} = <i64>load<i32>(${pointer}, ${4 * i});`,
  );
}

function body({ inputs, column, less, factors = [], doubled = [] }: Product): readonly string[] {
  const lines = inputs.flatMap(loads);
  for (const [a, b] of factors) lines.push(...ownProducts(a, b));
  for (const name of doubled) {
    for (let i = 0; i < LIMBS - 1; i++)
      lines.push(`  const ${name}${name}${i} = ${name}${i} << 1;`);
  }
  lines.push("  let sum: i64 = 0;");
  for (let k = 0; k < 2 * LIMBS - 1; k++) {
    const taken = k < LIMBS ? [] : (less?.(k - LIMBS) ?? []);
    const terms = [...column(k), ...reduction(k), ...taken.map((each) => `- ${each}`)];
    lines.push(`  sum = sum ${terms.join(" ")};`);
    const result = k < LIMBS ? `q${k}` : `o${k - LIMBS}`;
    lines.push(`  const ${result} = sum & MASK;`, `  sum >>= ${BITS};`);
  }
  const top = less?.(LIMBS - 1) ?? [];
  if (top.length > 0) lines.push(`  sum = sum ${top.map((each) => `- ${each}`).join(" ")};`);
  return lines;
}

function stores(folded: boolean): readonly string[] {
  if (!folded) {
    return Array.from({ length: LIMBS }, (_, i) =>
      i < LIMBS - 1
        ? `  store<i32>(out, <i32>o${i}, ${4 * i});`
        : `  store<i32>(out, <i32>sum, ${4 * i});`,
    );
  }
  // t · 2^256 = t · (2^224 + 2^96 − 2^64 + 1) modulo p.
  const fold = new Map([
    [0, "o0 + t"],
    [2, "o2 - (t << 6)"],
    [3, "o3 + (t << 9)"],
    [7, "o7 + (t << 21)"],
    [8, "sum - (t << 24)"],
  ]);
  return [
    "  const t = sum >> 24;",
    ...Array.from(
      { length: LIMBS },
      (_, i) => `  store<i32>(out, <i32>(${fold.get(i) ?? `o${i}`}), ${4 * i});`,
    ),
  ];
}

function functionOf(product: Product): string {
  const parameters = ["out", ...product.inputs].map((name) => `${name}: usize`).join(", ");
  return [
    `/** out = ${product.comment}, each product divided by R. */`,
    `export function ${product.name}(${parameters}): void {`,
    ...body(product),
    ...stores(product.less !== undefined),
    "}",
  ].join("\n");
}

/** What is done limb by limb: the result's limb, by those of the inputs. */
interface LimbWise {
  readonly name: string;
  readonly comment: string;
  readonly inputs: readonly string[];
  readonly limb: (i: number) => string;
}

const limbWise: readonly LimbWise[] = [
  { name: "copy", comment: "a", inputs: ["a"], limb: (i) => `a${i}` },
  { name: "negate", comment: "−a", inputs: ["a"], limb: (i) => `-a${i}` },
  {
    name: "subtractLazily",
    comment: "a − b, an input of a product and nothing more",
    inputs: ["a", "b"],
    limb: (i) => `a${i} - b${i}`,
  },
  {
    name: "addLazily",
    comment: "a + b, an input of a product whose other factor is neither sum nor double",
    inputs: ["a", "b"],
    limb: (i) => `a${i} + b${i}`,
  },
];

function limbWiseFunction({ name, comment, inputs, limb }: LimbWise): string {
  const parameters = ["out", ...inputs].map((each) => `${each}: usize`).join(", ");
  const limbs = Array.from({ length: LIMBS }, (_, i) => i);
  return [
    `/** out = ${comment}. */`,
    `export function ${name}(${parameters}): void {`,
    ...limbs.flatMap((i) =>
      inputs.map((input) => `  const ${input}${i} = load<i32>(${input}, ${4 * i});`),
    ),
    ...limbs.map((i) => `  store<i32>(out, ${limb(i)}, ${4 * i});`),
    "}",
  ].join("\n");
}

/** The whole file. */
export function generateProducts(): string {
  const head = [
    "/*",
    " * Written by `pnpm kernel:build` (tools/generate-products.ts): product scanning with Montgomery's",
    " * reduction in one accumulator. p = −1 modulo 2^64, so the factor of a reduction step is the limb",
    " * itself, and its multiples are shifts. Bounds: field.ts.",
    " *",
    " * @see Koç, Acar, Kaliski 1996, Analyzing and comparing Montgomery multiplication algorithms (FIPS)",
    " */",
    "",
    `const MASK: i64 = (1 << ${BITS}) - 1;`,
  ].join("\n");
  return `${[head, ...limbWise.map(limbWiseFunction), ...products.map(functionOf)].join("\n\n")}\n`;
}
