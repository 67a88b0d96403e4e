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

interface LayerOptions {
  /** How long a single test may take, ms. */
  readonly testTimeout: number;
  /** Whether each file has a process of its own. Sharing what files load saves a third of the time. */
  readonly isolate?: boolean;
  readonly fileParallelism?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** One layer of tests, and its files. */
function layer(name: string, include: string[], { testTimeout, ...options }: LayerOptions) {
  return {
    ...source,
    test: {
      ...{ name, include, testTimeout, hookTimeout: testTimeout, ...options },
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
          "packages/!(simulator)/test/{unit,property,vectors,scenarios}/**/*.test.ts",
          "{bench,examples,test/chaos,test/fuzz}/test/**/*.test.ts",
          "test/*.test.ts",
        ],
        { testTimeout: 30_000, isolate: false },
      ),
      // Whatever depends on the transport once more, over SM2, SM4-GCM and SM3.
      layer("gm", ["packages/node/test/scenarios/{admission,admission-*,network}.test.ts"], {
        testTimeout: 30_000,
        isolate: false,
        env: { CREDLINK_TEST_TRANSPORT: "gm" },
      }),
      // The simulator changes how its process hashes.
      layer(
        "simulation",
        ["packages/*/test/simulation/**/*.test.ts", "packages/simulator/test/unit/**/*.test.ts"],
        { testTimeout: 170_000 },
      ),
      layer("contracts", ["packages/contracts/test/contracts/**/*.test.ts"], {
        testTimeout: 60_000,
      }),
      layer("e2e", ["test/e2e/**/*.test.ts"], { testTimeout: 120_000, fileParallelism: false }),
    ],
  },
});
