import { describe, expect, it } from "vitest";
import { replayLine } from "../../src/command-line.ts";
import { runSeed } from "../../src/index.ts";

describe("S-9.2-1: everything real: SM2, certificates, WebAssembly, the credential contract", () => {
  it("commits credentials on equal state roots under faults, three seeds", async () => {
    let accepted = 0;
    for (const seed of [1, 2, 3]) {
      const options = { profile: "full", validators: 4, heights: 25 } as const;
      const result = await runSeed({ seed, ...options });
      expect(result.reason, replayLine(seed, options)).toBe(null);
      accepted += result.coverage["receipt SUCCESS"] ?? 0;
    }
    expect(accepted).toBeGreaterThan(100);
  });

  it("gives the same trace twice, though its signatures differ", async () => {
    const [first, second] = [
      await runSeed({ seed: 4, profile: "full", validators: 4, heights: 15 }),
      await runSeed({ seed: 4, profile: "full", validators: 4, heights: 15 }),
    ];
    expect(second.traceDigest).toBe(first.traceDigest);
    expect(second.height).toBe(first.height);
  });
});
