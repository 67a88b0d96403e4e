import { describe, expect, it } from "vitest";
import { credlinkJson } from "./support/command.ts";
import { isLarge } from "./support/large.ts";
import { relationKeyCall } from "./support/load.ts";
import { TestNetwork } from "./support/network.ts";

/** Quorums by number of validators. */
const quorums = { 1: 1, 5: 4, 7: 5 } as const;

describe.each(isLarge ? ([7] as const) : ([1, 5] as const))(
  "S-9.2-1: %i validators",
  (validators) => {
    it("take transactions, certify them by a quorum, and agree", async () => {
      const network = await TestNetwork.run({ validators });
      try {
        const made = await credlinkJson(
          ...["member", "create", "--network", network.dir, "--organization", "org-1"],
          ...["--name", "service-centre", "--role", "institution"],
        );
        expect(made.code, made.stderr).toBe(0);
        const client = await network.client("node-1", "org-1/service-centre");
        const last = `node-${validators}`;
        const other = await network.client(last, "org-1/service-centre");
        const committed = await client.execute(relationKeyCall());
        const signatures = committed.header.certificate?.signatures.length ?? 0;
        expect(signatures).toBeGreaterThanOrEqual(quorums[validators]);
        const second = await other.execute(relationKeyCall());
        const names = [...network.nodes.keys()];
        expect(names).toHaveLength(validators);
        const height = Math.max(committed.header.height, second.header.height);
        await network.agree(names, height);
      } finally {
        await network.close();
      }
    });
  },
);
