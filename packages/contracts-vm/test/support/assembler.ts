import type { GenesisContract } from "@credlink/ledger";
import { encode, utf8 } from "@credlink/primitives";
import { type Manifest, type MethodManifest, manifestCodec } from "../../src/manifest.ts";
import { type HostImport, hostTypes } from "../../src/wasm/host-imports.ts";

/** Bytes, nested as is handy. */
export type Code = number | Uint8Array | readonly Code[];

export const I32 = 0x7f;
export const I64 = 0x7e;

export function flat(code: Code): readonly number[] {
  if (typeof code === "number") return [code];
  if (code instanceof Uint8Array) return [...code];
  return code.flatMap(flat);
}

/** Unsigned LEB128. */
export function u(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

/** Signed LEB128. */
export function s(value: number | bigint): readonly number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

export const text = (value: string): readonly number[] => {
  const bytes = utf8(value);
  return [...u(bytes.length), ...bytes];
};

export const vector = (items: readonly Code[]): readonly number[] => [
  ...u(items.length),
  ...flat(items),
];

export const section = (id: number, content: Code): readonly number[] => {
  const bytes = flat(content);
  return [id, ...u(bytes.length), ...bytes];
};

export const i32 = (value: number): Code => [0x41, s(value)];
export const i64 = (value: number | bigint): Code => [0x42, s(value)];
export const get = (local: number): Code => [0x20, u(local)];
export const set = (local: number): Code => [0x21, u(local)];
export const call = (index: number): Code => [0x10, u(index)];
export const END = 0x0b;

export interface FunctionText {
  readonly parameters?: readonly number[];
  readonly results?: readonly number[];
  /** Groups of locals: count and type. */
  readonly locals?: readonly (readonly [count: number, type: number])[];
  /** Without the last `end`. */
  readonly code: Code;
  /** Exported under this name. */
  readonly name?: string;
}

export interface ModuleText {
  readonly imports?: readonly HostImport[];
  readonly functions?: readonly FunctionText[];
  /** Pages; default [1, 16]. */
  readonly memory?: readonly [minimum: number, maximum: number];
  /** Contents of the global section's items. */
  readonly globals?: readonly Code[];
  /** Initial function indexes of a table. */
  readonly table?: readonly number[];
  /** Active data segments. */
  readonly data?: readonly (readonly [offset: number, bytes: Uint8Array])[];
  readonly version?: string | null;
  /** Whole sections instead of those that would be made, by id; null leaves one out. */
  readonly replace?: Readonly<Record<number, Code | null>>;
  /** Whole sections put before all others. */
  readonly extra?: Code;
}

export const NAME = "probe";
export const VERSION = "1.0.0";

/** Assembles a module from parts that are right unless the test makes them wrong. */
export function assemble(module: ModuleText): Uint8Array {
  const imports = module.imports ?? [];
  const functions = module.functions ?? [];
  const [minimum, maximum] = module.memory ?? [1, 16];
  const types = [
    ...imports.map((name) => hostTypes[name]),
    ...functions.map(({ parameters, results }) => ({
      parameters: parameters ?? [],
      results: results ?? [],
    })),
  ].map(({ parameters, results }) => [0x60, vector(parameters), vector(results)]);
  const exported = functions.flatMap(({ name }, index) =>
    name === undefined ? [] : [[text(name), 0, u(imports.length + index)]],
  );
  const bodies = functions.map(({ locals, code }) => {
    const groups = (locals ?? []).map(([count, type]) => [u(count), type]);
    const bytes = flat([vector(groups), code, END]);
    return [u(bytes.length), bytes];
  });
  const table = module.table ?? [];
  const made: Readonly<Record<number, Code | null>> = {
    1: section(1, vector(types)),
    2: section(2, vector(imports.map((name, i) => [text("credlink"), text(name), 0, u(i)]))),
    3: section(3, vector(functions.map((_, index) => u(imports.length + index)))),
    4: table.length === 0 ? null : section(4, [1, 0x70, 0, u(table.length)]),
    5: section(5, [1, 1, u(minimum), u(maximum)]),
    6: module.globals === undefined ? null : section(6, vector(module.globals)),
    7: section(7, vector([[text("memory"), 2, 0], ...exported])),
    8: null,
    9:
      table.length === 0
        ? null
        : section(9, [1, 0, i32(0), END, vector(table.map((index) => u(index)))]),
    12: null,
    10: section(10, vector(bodies)),
    11:
      module.data === undefined
        ? null
        : section(
            11,
            vector(module.data.map(([at, bytes]) => [0, i32(at), END, u(bytes.length), bytes])),
          ),
    13: null,
    ...module.replace,
  };
  const order = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];
  const version = module.version === undefined ? `${NAME}@${VERSION}` : module.version;
  return Uint8Array.from(
    flat([
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      version === null ? [] : section(0, [text("credlink.version"), utf8(version)]),
      module.extra ?? [],
      order.map((id) => made[id] ?? []),
    ]),
  );
}

const ALL_ROLES = ["institution", "admin"] as const;

/** A manifest for the named methods. */
export function manifestOf(
  methods: readonly (string | MethodManifest)[],
  options: Partial<Manifest> = {},
): Manifest {
  return {
    name: NAME,
    version: VERSION,
    abi: 1,
    maxMemoryPages: 16,
    methods: methods.map((method) =>
      typeof method === "string" ? { name: method, readOnly: false, roles: ALL_ROLES } : method,
    ),
    calls: [],
    ...options,
  };
}

/** A contract for genesis. */
export function contractOf(code: Uint8Array, manifest: Manifest): GenesisContract {
  return {
    name: manifest.name,
    version: manifest.version,
    code,
    manifest: encode(manifestCodec, manifest),
  };
}
