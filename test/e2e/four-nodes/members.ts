import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient, createIdentity } from "@credlink/client";
import { formatAddress } from "@credlink/crypto";
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

    it("T-4.5-1: 2 of 3 members of three organisations sign for an account, offline", async () => {
      const { dir } = network;
      const to = (name: string): string => join(dir, `account-${name}.json`);
      const holders = ["org-1/admin", "org-2/admin", "org-3/admin"] as const;
      const addresses = await Promise.all(holders.map((name) => network.identity(name)));
      const signers = addresses.flatMap(({ address }) => ["--signer", formatAddress(address)]);
      const made = await credlinkJson(
        ...["account", "create", "--network", dir, "--as", "org-1/admin"],
        ...["--role", "institution", "--threshold", "2", ...signers],
      );
      expect(made.code, made.stderr).toBe(0);
      const account = String(made.value.at("address").value);

      const drafted = await credlinkJson(
        ...["account", "change", account, "--network", dir, "--expiry-height", "900"],
        ...["--threshold", "3", ...signers, "--out", to("draft")],
      );
      expect(drafted.code, drafted.stderr).toBe(0);
      for (const [at, name] of holders.entries()) {
        const signed = await credlinkJson(
          ...["account", "sign", to("draft"), "--network", dir, "--as", name],
          ...["--out", to(`by-${at}`)],
        );
        expect(signed.code, signed.stderr).toBe(0);
        expect(signed.value.at("method").value).toBe("setAccountSigners");
      }
      const submit = async (name: string, ...by: readonly string[]) => {
        const out = to(name);
        const combined = await credlinkJson(
          ...["account", "combine", to("draft"), ...by.map(to), "--out", out],
        );
        expect(combined.code, combined.stderr).toBe(0);
        return credlinkJson("account", "submit", out, "--network", dir);
      };
      const few = await submit("few", "by-2");
      expect(few.code).toBe(3);
      expect(few.stderr).toContain("LEDGER_TRANSACTION_SIGNATURES_MISSING");
      const enough = await submit("enough", "by-2", "by-0");
      expect(enough.code, enough.stderr).toBe(0);
      await network.agree(all, Number(enough.value.at("height").value));
      // The nonce is used up, whoever of them signs.
      const again = await submit("again", "by-0", "by-1");
      expect(again.stderr).toContain("LEDGER_TRANSACTION_REPLAYED");

      const shown = await credlinkJson("account", "show", account, "--network", dir);
      expect(shown.value.value).toMatchObject({
        status: "active",
        signers: [{ threshold: 2 }, { threshold: 3 }],
        verified: true,
      });
    });

    it("S-9.5-2a: a lost key's successor is proposed and shown; its owner objects", async () => {
      const { dir } = network;
      const made = await credlinkJson(
        ...["member", "create", "--network", dir, "--organization", "org-2"],
        ...["--name", "losing", "--role", "enterprise"],
      );
      expect(made.code, made.stderr).toBe(0);
      const address = String(made.value.at("address").value);
      const passwordFile = join(dir, "recovery.password");
      writeFileSync(passwordFile, "a password of the new key\n", { mode: 0o600 });
      const requested = await credlinkJson(
        ...["member", "recovery", "request", address, "--keys", "1"],
        ...["--key", join(dir, "recovery.key"), "--password-file", passwordFile],
        ...["--genesis", join(dir, "genesis.bin"), "--out", join(dir, "recovery.json")],
      );
      expect(requested.code, requested.stderr).toBe(0);
      const as = (name: string) => ["--network", dir, "--as", name];
      const recovery = (...args: readonly string[]) => credlinkJson("member", "recovery", ...args);
      const proposed = await recovery("propose", join(dir, "recovery.json"), ...as("org-2/admin"));
      expect(proposed.code, proposed.stderr).toBe(0);
      const publicKey = requested.value.at("publicKey").value;
      const shown = await recovery("show", address, ...as("org-1/admin"));
      expect(shown.value.value).toMatchObject({ address, publicKey, verified: true });
      const listed = await recovery("list", ...as("org-1/admin"));
      expect(listed.value.at("recoveries").value).toMatchObject([{ address, publicKey }]);
      const early = await recovery("complete", address, ...as("org-1/admin"));
      expect(early.stderr).toContain("MEMBERS_RECOVERY_EARLY");
      const cancelled = await recovery("cancel", address, ...as("org-2/losing"));
      expect(cancelled.code, cancelled.stderr).toBe(0);
      expect((await recovery("show", address, ...as("org-1/admin"))).code).toBe(6);
    });
  });
}
