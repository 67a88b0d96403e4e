import { formatAddress } from "@credlink/crypto";
import { describe, expect, it } from "vitest";
import { credlinkJson } from "../support/command.ts";
import { relationKeyCall } from "../support/load.ts";
import { all, institution, institutionClient, network } from "./network.ts";

/** What organisations decide together, each at its own node, by commands alone. */
export function describeGovernance(): void {
  const gov = (node: string, ...command: readonly string[]) =>
    credlinkJson("gov", ...command, "--network", network.dir, "--node", node);

  describe("T-4.2.3: the organisations decide", () => {
    it("one proposes, others vote at their nodes, and it is executed at its height", async () => {
      const head = (await institutionClient.info()).height;
      const at = head + 8;
      const publisher = { address: formatAddress(institution.address) };
      const args = JSON.stringify([["rates", [publisher], 8, { u64: "60000" }]]);
      const proposed = await gov(
        "node-1",
        ...["propose", "oracles", "setFeed", "--args", args, "--at", `${at}`],
      );
      expect(proposed.stderr).toBe("");
      expect(proposed.value.at("state").text).toBe("voting");
      const number = `${proposed.value.at("number").number}`;
      const rejected = await gov("node-2", "vote", number, "reject");
      expect(rejected.value.at("state").text).toBe("voting");
      await gov("node-2", "vote", number, "approve");
      const decided = await gov("node-3", "vote", number, "approve");
      expect(decided.value.at("state").text).toBe("passed");
      expect(decided.value.at("votes").list).toHaveLength(3);
      for (let height = decided.value.at("height").number; height < at; ) {
        height = (await institutionClient.execute(relationKeyCall())).header.height;
      }
      await network.agree(all, at);
      const { value } = await gov("node-4", "show", number);
      expect(value.at("state").text).toBe("executed");
      expect(value.at("changedAt").number).toBe(at);
      expect(value.at("events").list.map((event) => event.at("topic").text)).toEqual(["feed"]);
    });

    it("a decided proposal takes no vote, and an unknown one is told", async () => {
      const late = await gov("node-4", "vote", "1", "approve");
      expect(late.stderr).toContain("GOVERNANCE_DECIDED");
      const unknown = await gov("node-4", "show", "999");
      expect(unknown.stderr).toContain("CLI_NOT_FOUND");
    });

    it("points grow with the blocks that an organisation signs, the same on every node", async () => {
      const committed = await institutionClient.execute(relationKeyCall());
      await network.agree(all, committed.header.height);
      const { value } = await gov("observer-1", "points");
      const blocks = value.at("contributions").list.map((each) => each.at("blocks").number);
      expect(blocks).toHaveLength(4);
      expect(Math.min(...blocks)).toBeGreaterThan(0);
    });
  });
}
