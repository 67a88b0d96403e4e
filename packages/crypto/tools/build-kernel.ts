import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { generateProducts, productsPath } from "./generate-products.ts";

const packageFolder: string = fileURLToPath(new URL("..", import.meta.url));
/** The kernels: where each one's source is, its first file, and the module that is written of it. */
export const kernels = [
  { source: "assembly/sm2", entry: "index.ts", code: "src/kernel/code.ts" },
  { source: "assembly/sm2", entry: "sum.ts", code: "src/kernel/sum-code.ts" },
  { source: "assembly/ghash", entry: "index.ts", code: "src/ghash/code.ts" },
  { source: "assembly/sm3", entry: "index.ts", code: "src/sm3/code.ts" },
] as const;

/** A kernel's source and module, relative to the package. */
export type KernelPaths = (typeof kernels)[number];

/** A compiled kernel. @throws Error with the compiler's messages */
export async function compileKernel({ source, entry }: KernelPaths): Promise<Uint8Array> {
  const folder = join(packageFolder, source);
  // Only where it is used: an engine without vectors refuses the whole module.
  const vectors = source === "assembly/sm3" ? ["--enable", "simd"] : [];
  const files = readdirSync(folder);
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [entry, "--outFile", "kernel.wasm", "--runtime", "stub", "-O3", "--noAssert", ...vectors],
    {
      readFile: (name) => {
        const file = name.replace(/^.*\//, "");
        if (!files.includes(file)) return null;
        if (file === "products.ts") return generateProducts();
        return readFileSync(join(folder, file), "utf8");
      },
      writeFile: (name, contents) => {
        if (name.endsWith(".wasm") && typeof contents !== "string") binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined) throw new Error(stderr.toString());
  return binary;
}

/** The module that carries a kernel, so that threads and browsers need no file beside it. */
export function codeModule({ source }: KernelPaths, binary: Uint8Array): string {
  return [
    `/* Written by \`pnpm kernel:build\`: ${source}, compiled. */`,
    "",
    "/** The kernel's WebAssembly module, base64. */",
    "export const KERNEL_CODE =",
    `  "${Buffer.from(binary).toString("base64")}";`,
    "",
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(packageFolder, productsPath), generateProducts());
  for (const kernel of kernels) {
    const binary = await compileKernel(kernel);
    writeFileSync(join(packageFolder, kernel.code), codeModule(kernel, binary));
    process.stdout.write(`${kernel.code}: ${binary.length} bytes\n`);
  }
}
