import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { generateProducts, productsPath } from "./generate-products.ts";

const packageFolder: string = fileURLToPath(new URL("..", import.meta.url));
const folder = join(packageFolder, "assembly/sm2");
/** Path of the written module, relative to the package. */
export const codePath = "src/kernel/code.ts";

/** The compiled kernel. @throws Error with the compiler's messages */
export async function compileKernel(): Promise<Uint8Array> {
  const files = readdirSync(folder);
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    ["index.ts", "--outFile", "kernel.wasm", "--runtime", "stub", "-O3", "--noAssert"],
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

/** The module that carries the kernel, so that threads and browsers need no file beside it. */
export function codeModule(binary: Uint8Array): string {
  return [
    "/* Written by `pnpm kernel:build`: assembly/sm2, compiled. */",
    "",
    "/** The kernel's WebAssembly module, base64. */",
    "export const KERNEL_CODE =",
    `  "${Buffer.from(binary).toString("base64")}";`,
    "",
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(packageFolder, productsPath), generateProducts());
  const binary = await compileKernel();
  writeFileSync(join(packageFolder, codePath), codeModule(binary));
  process.stdout.write(`${binary.length} bytes\n`);
}
