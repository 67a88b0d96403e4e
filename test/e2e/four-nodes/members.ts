import { createClient, createIdentity } from "@credlink/client";
import { equalBytes } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { credlinkJson } from "../support/command.ts";
import { refusalOf, relationKeyCall } from "../support/load.ts";
import { all, network } from "./network.ts";

/** What members do with their own keys, through the command and any node. */
export function describeMembers(): void {
  describe("a member's key", () => {
    it("S-9.4-8: rotates; the old one is refused, what it signed stays proven", async () => {
      const member = ["--network", network.dir, "--as", "org-3/rotating"];
      const made = await credlinkJson(
        ...["member", "create", "--network", network.dir, "--organization", "org-3"],
        ...["--name", "rotating", "--role", "institution"],
      );
      expect(made.code).toBe(0);
      const before = await network.identity("org-3/rotating");
      const old = await network.client("node-1", "org-3/rotating");
      const signed = await old.execute(relationKeyCall());
      const late = await old.build(relationKeyCall());

      const rotated = await credlinkJson("member", "rotate-key", ...member);
      expect(rotated.code, rotated.stderr).toBe(0);
      const after = await network.identity("org-3/rotating");
      expect(equalBytes(after.address, before.address)).toBe(true);
      expect(equalBytes(after.signer.publicKey, before.signer.publicKey)).toBe(false);

      const admin = await network.client("node-1");
      expect(await refusalOf(admin, late)).toBe("LEDGER_TRANSACTION_SIGNATURE_INVALID");
      const { rpc: url } = network.node("node-2");
      const stale = createClient({
        url,
        genesis: network.genesis,
        identity: createIdentity(before.signer, before.address),
      });
      await expect(stale.info()).rejects.toMatchObject({ details: { httpStatus: 401 } });
      const again = await network.client("node-2", "org-3/rotating");
      const { header } = await again.execute(relationKeyCall());
      await network.agree(all, header.height);
      const found = await again.transaction(signed.id);
      expect(found).toMatchObject({ status: "committed", index: signed.index });

      const shown = await credlinkJson("member", "show", ...member);
      expect(shown.value.value).toMatchObject({ status: "active", verified: true });
      expect(shown.value.at("keys").value).toHaveLength(2);
      const fromHeight = shown.value.at("keys", 1, "fromHeight").value;
      expect(fromHeight).toBeGreaterThan(signed.header.height);
    });
  });
}
