import { describe, expect, it } from "vitest";
import { createCalls, Load, relationKeyCall } from "../support/load.ts";
import { eventually } from "../support/wait.ts";
import { admin, all, institution, network } from "./network.ts";

/** Nodes that are killed, under load and without. */
export function describeFaults(): void {
  describe("S-9.2-4: faults", () => {
    let load: Load;

    it("kill -9 of one under load: the others go on, it catches up, nothing accepted is lost", async () => {
      const survivors = ["node-1", "node-2", "node-4"];
      const clients = await Promise.all(
        survivors.map((name) => network.client(name, "org-1/service-centre")),
      );
      const info = await admin.info();
      load = new Load(clients, createCalls(admin, institution, info.height + 900));
      await eventually("load is taken", () => load.accepted.length > 20);
      const before = await admin.info();
      await network.kill("node-3");
      await eventually("blocks go on", async () => (await admin.info()).height > before.height + 3);
      network.restart("node-3");
      await network.untilReady("node-3");
      await eventually("it catches up under load", async () => {
        const [own, other] = await Promise.all([
          (await network.client("node-3")).info(),
          admin.info(),
        ]);
        return own.height >= other.height - 2 && own.height > before.height + 3;
      });
      await load.stop();
      await load.allCommitted(await network.client("node-3"));
      await network.agree(all, before.height + 4);
    });

    it("the primary killed: the next block within 3 s", async () => {
      const status = await admin.status();
      const primary = status.primary;
      expect(primary).toMatch(/^node-\d$/);
      const victim = primary ?? "node-2";
      const other = victim === "node-1" ? "node-2" : "node-1";
      const client = await network.client(other, "org-1/service-centre");
      const before = (await client.info()).height;
      await network.kill(victim);
      const killedMs = performance.now();
      await client.submit(await client.build(relationKeyCall()));
      await eventually("the next block", async () => (await client.info()).height > before, 6_000);
      const tookMs = performance.now() - killedMs;
      expect(tookMs).toBeLessThan(3_000);
      network.restart(victim);
      await network.untilReady(victim);
      await network.agree(all, before + 1);
    });

    it("two of four killed: no block, no fork; it goes on by itself when they return", async () => {
      const client = await network.client("node-1", "org-1/service-centre");
      await Promise.all([network.kill("node-2"), network.kill("node-3")]);
      // A decision that was under way may still arrive; after it the height stands.
      const signed = await client.build(relationKeyCall());
      await client.submit(signed);
      const settled = await eventually("the height stands", async () => {
        const first = (await client.info()).height;
        await new Promise((resolve) => setTimeout(resolve, 500));
        return (await client.info()).height === first && { height: first };
      });
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      expect((await client.info()).height).toBe(settled.height);
      expect((await client.transaction(signed.id)).status).toBe("pending");
      network.restart("node-2");
      network.restart("node-3");
      await network.untilReady("node-2");
      await eventually(
        "it goes on",
        async () => (await client.info()).height > settled.height,
        30_000,
      );
      await client.waitFor(signed.id);
      await network.agree(all, settled.height + 1);
    });
  });
}
