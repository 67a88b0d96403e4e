import { describe, expect, it } from "vitest";
import { credlinkJson } from "./support/command.ts";
import { isLarge } from "./support/large.ts";
import { relationKeyCall } from "./support/load.ts";
import { TestNetwork } from "./support/network.ts";

describe.runIf(isLarge)("S-9.2-1, S-9.2-4: 10 validators", () => {
  it("agree, and go on when three of them are killed", async () => {
    const network = await TestNetwork.run({ validators: 10 });
    try {
      const made = await credlinkJson(
        ...["member", "create", "--network", network.dir, "--organization", "org-1"],
        ...["--name", "service-centre", "--role", "institution"],
      );
      expect(made.code, made.stderr).toBe(0);
      const client = await network.client("node-1", "org-1/service-centre");
      const committed = await client.execute(relationKeyCall());
      expect(committed.header.certificate?.signatures.length).toBeGreaterThanOrEqual(7);
      await network.agree([...network.nodes.keys()], committed.header.height, 60_000);
      for (const name of ["node-8", "node-9", "node-10"]) await network.kill(name);
      const next = await client.execute(relationKeyCall(), { timeoutMs: 60_000 });
      const left = [...network.nodes.keys()].filter((name) => !/-(8|9|10)$/.test(name));
      await network.agree(left, next.header.height, 60_000);
    } finally {
      await network.close();
    }
  }, 240_000);
});
