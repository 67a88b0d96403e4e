import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Tests start hundreds of node and command processes: each takes what the first ones compiled.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules/.cache/node-compile");

// Workspace packages export their TypeScript under the condition `source`.
const source = {
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["source"] } },
};

/** One layer of tests: which files, and how long a single test may take. */
function layer(name: string, include: string[], testTimeout: number, fileParallelism = true) {
  return {
    ...source,
    test: {
      name,
      include,
      testTimeout,
      hookTimeout: testTimeout,
      fileParallelism,
      pool: "forks" as const,
      execArgv: ["--conditions=source"],
    },
  };
}

export default defineConfig({
  test: {
    // Half the time of unit tests is waiting for sockets and timers: more workers than processors.
    maxWorkers: Math.ceil(1.5 * availableParallelism()),
    projects: [
      layer(
        "unit",
        [
          "packages/*/test/{unit,property,vectors,scenarios}/**/*.test.ts",
          "{bench,examples,test/chaos,test/fuzz}/test/**/*.test.ts",
          "test/*.test.ts",
        ],
        30_000,
      ),
      layer("simulation", ["packages/*/test/simulation/**/*.test.ts"], 170_000),
      layer("contracts", ["packages/contracts/test/contracts/**/*.test.ts"], 60_000),
      layer("e2e", ["test/e2e/**/*.test.ts"], 120_000, false),
    ],
  },
});
